"""The learned attacker: a U-Net with a budget, and its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from zipfile import is_zipfile

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project
from deepfake.attacks.unet import HARD, PerturbationUNet
from deepfake.errors import CheckpointError
from deepfake.modes import evaluating
from deepfake.runtime import replacing

FORMAT = "deepfake-attacker-1"


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
    buffer = BytesIO()  # torch.save to a path writes the file's name into the archive
    torch.save(content, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_attacker(path: Path, device: torch.device) -> Learned:
    """Read an attacker; nothing that is stored in the file is run.

    Raises:
        CheckpointError: no file, not one of ours, or damaged.
    """
    if not path.exists() or not is_zipfile(path):
        raise CheckpointError(f"{path}: {'not an attacker, or cut short' if path.exists() else 'no such file'}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise CheckpointError(f"{path}: not a {FORMAT} file")
        unet = PerturbationUNet(content["width"])
        unet.load_state_dict(content["weights"])
        eps = float(content["eps"])
    except (OSError, RuntimeError, EOFError, UnpicklingError, ValueError, LookupError, TypeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: not an attacker that can be loaded safely: {reason}") from error
    unet.requires_grad_(False)
    return Learned(unet.eval().to(device), eps)
