"""An attacker who knows the compression that follows (Athalye et al. 2018: EOT and BPDA)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.protocol import Attack

Codec = Callable[[Tensor], Tensor]
"""Crops (B, 3, S, S) in [0, 1] -> such crops, compressed."""


@dataclass(frozen=True)
class Adaptive:
    """An attack on the detector and the codecs before it as if they were one model.

    Its logit is the mean over the codecs. They are a fixed list, `[partial(differentiable_jpeg, quality=q) for q in
    (40, 50, 60)]`, and not drawn anew at every step: rows stay independent, and the best point means something.

    Attributes:
        attack: maximises the objective through the codecs.
        codecs: what may follow, each with a gradient: its own, or that of `straight_through`.
    """

    attack: Attack
    codecs: Sequence[Codec]

    def __post_init__(self) -> None:
        if not self.codecs:
            raise ValueError("no codecs: an attack through nothing is the attack itself")

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`, before any compression. A row depends on no other if its codecs' results do not."""
        return self.attack(_Compressed(model, self.codecs), x, y, seeds)


def straight_through(codec: Codec) -> Codec:
    """A codec with the gradient of the identity: the backward pass does as if nothing were lost (BPDA)."""

    def compress(x: Tensor) -> Tensor:
        with torch.no_grad():
            change = codec(x) - x
        return x + change

    return compress


class _Compressed(nn.Module):
    def __init__(self, model: nn.Module, codecs: Sequence[Codec]) -> None:
        super().__init__()
        self.model, self.codecs = model, codecs

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.model(codec(x)) for codec in self.codecs]).mean(dim=0)
