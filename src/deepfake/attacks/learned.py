"""The learned attacker: a U-Net with a budget, and its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deepfake.archive import checked_weights, load_archive, require_fit, save_archive
from deepfake.attacks.ball import project
from deepfake.attacks.unet import HARD, PerturbationUNet
from deepfake.errors import CheckpointError
from deepfake.modes import evaluating

FORMAT = "deepfake-attacker-1"
_MOST_WIDTH = 256


@dataclass(frozen=True)
class Learned:
    """One pass of a U-Net that was fitted against a detector; the detector is not asked again.

    Attributes:
        unet: draws the perturbation.
        eps: budget in [0, 1] pixel space.
    """

    unet: PerturbationUNet
    eps: float

    def __call__(self, _model: nn.Module, x: Tensor, y: Tensor, _seeds: Sequence[int]) -> Tensor:
        """As `Attack`; neither the model nor the seeds have any influence."""
        with evaluating(self.unet), torch.no_grad():
            return project(x + self.eps * self.unet(x, y, gain=HARD), x, self.eps)


def save_attacker(path: Path, unet: PerturbationUNet, eps: float) -> None:
    """Write an attacker, whole or not at all; the same attacker gives the same bytes."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in unet.state_dict().items()}
    content = {"format": FORMAT, "width": unet.out.in_channels, "eps": eps, "weights": weights}
    save_archive(path, content)


def load_attacker(path: Path, device: torch.device) -> Learned:
    """Read an attacker; nothing that is stored in the file is run.

    Raises:
        CheckpointError: no file, not one of ours, or damaged.
    """
    content = load_archive(path, FORMAT, name="an attacker")
    try:
        width, eps, weights = content["width"], content["eps"], checked_weights(content["weights"])
        if type(width) is not int or not 4 <= width <= _MOST_WIDTH or width % 4:
            raise ValueError(f"width should be a multiple of 4 up to {_MOST_WIDTH}, not {width!r:.100}")
        if not isinstance(eps, int | float) or not 0 < eps <= 1:
            raise ValueError(f"eps should be above 0 and at most 1, not {eps!r:.100}")
        with torch.device("meta"):
            require_fit(weights, PerturbationUNet(width).state_dict())
    except (KeyError, ValueError, CheckpointError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
    unet = PerturbationUNet(width)
    unet.load_state_dict(weights)
    unet.requires_grad_(False)
    return Learned(unet.eval().to(device), eps)
