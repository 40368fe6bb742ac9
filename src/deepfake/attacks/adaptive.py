"""An attacker who knows the compression that follows (Athalye et al. 2018: EOT and BPDA)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from deepfake.attacks.ball import project
from deepfake.attacks.protocol import Attack, ascent, keep_better, objective
from deepfake.modes import frozen

Codec = Callable[[Tensor], Tensor]
"""Crops (B, 3, S, S) in [0, 1] -> such crops, compressed."""

_BT601 = (0.299, 0.587, 0.114)  # luma of RGB
_LUMA_SIGMA, _CHROMA_SIGMA = 0.8, 2.0  # pixels; chosen on the sample's detectors behind JPEG-50 and H.264 at CRF 23


@dataclass(frozen=True)
class Adaptive:
    """PGD on the detector and the codecs before it as if they were one model, from where another attack ends.

    Starting from what an attacker finds who does not know the codec, it is no weaker than that one. Where several
    codecs may follow, the logit is the mean over them (EOT). They are a fixed list, `[partial(differentiable_jpeg,
    quality=q) for q in (40, 50, 60)]`, and not drawn anew at every step: rows stay independent, and the best point
    means something.

    Attributes:
        start: an attack within the budget, on the detector alone.
        eps: budget in [0, 1] pixel space.
        steps: gradient steps through the codecs, each half the budget long.
        codecs: what may follow, each with a gradient: its own or that of `straight_through`, and `smoothed` where it
            loses fine changes.
        one_clip: whether all rows are one clip, which a codec compresses as a whole: then they are judged as a whole.
    """

    start: Attack
    eps: float
    steps: int
    codecs: Sequence[Codec]
    one_clip: bool = False

    def __post_init__(self) -> None:
        if not self.codecs:
            raise ValueError("no codecs: an attack through nothing is its start")

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`, before any compression; through the codecs no worse than the clean crop and than `start`.

        A row depends on no other if its codecs' results do not.
        """
        compressed = _Compressed(model, self.codecs, self.one_clip)
        x_adv = self.start(model, x, y, seeds)
        with frozen(model), torch.no_grad():
            best, best_value = x, objective(compressed(x), y)
            for _ in range(self.steps):
                value, gradient = ascent(compressed, x_adv, y)
                best, best_value = keep_better(best, best_value, x_adv, value)
                x_adv = project(x_adv + self.eps / 2 * gradient.sign(), x, self.eps)
            best, _ = keep_better(best, best_value, x_adv, objective(compressed(x_adv), y))
        return best


def straight_through(codec: Codec) -> Codec:
    """A codec with the gradient of the identity: the backward pass does as if nothing were lost (BPDA)."""

    def compress(x: Tensor) -> Tensor:
        with torch.no_grad():
            change = codec(x) - x
        return x + change

    return compress


def smoothed(codec: Codec) -> Codec:
    """A codec whose gradient is low-passed, chroma more than luma.

    A codec quantises fine changes away. A gradient with rounding passed straight through does not know that; the
    identity, in H.264's place, knows no halved chroma either. So a step's sign spends budget on changes that are not
    there afterwards. (Dong et al. 2019 smooth gradients so that an attack transfers to other models.)
    """

    def compress(x: Tensor) -> Tensor:
        low = _low_pass(x)
        return codec(low + (x - low).detach())

    return compress


def _low_pass(x: Tensor) -> Tensor:
    luma = (x * x.new_tensor(_BT601).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    return _blur(luma, _LUMA_SIGMA) + _blur(x - luma, _CHROMA_SIGMA)


def _blur(x: Tensor, sigma: float) -> Tensor:
    side = 2 * math.ceil(3 * sigma) + 1
    return gaussian_blur(x, [side, side], [sigma, sigma])


class _Compressed(nn.Module):
    def __init__(self, model: nn.Module, codecs: Sequence[Codec], one_clip: bool) -> None:
        super().__init__()
        self.model, self.codecs, self.one_clip = model, codecs, one_clip

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.stack([self.model(codec(x)) for codec in self.codecs]).mean(dim=0)
        return logits.mean().expand(len(x)) if self.one_clip else logits
