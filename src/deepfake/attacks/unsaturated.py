"""Gradients where a detector is sure of itself: past the LayerNorm that bounds its logit."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.protocol import Attack

_HELD = 0.2  # share of the scale's gradient that is left out


@dataclass(frozen=True)
class Unsaturated:
    """An attack that does not stop where a detector is sure of itself.

    A logit after a LayerNorm is bounded: it is the cosine of the angle between two vectors, times a constant. Close to
    the bound its gradient fades like a sigmoid's, for whatever a step adds along the normalised vector is divided out
    again, and what is left points nowhere: PGD, APGD and Square then stop at a logit that a straight way out of there
    would have left behind. So the attack sees a copy of the detector with the same logits, in whose backward pass a
    share of the norm's scale is constant (BPDA, Athalye et al. 2018). Where the detector is not sure, the gradient all
    but stays as it is; with the whole scale constant it would be weaker there.

    Attributes:
        attack: what climbs that gradient.
    """

    attack: Attack

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; a model without a LayerNorm is attacked as it is."""
        return self.attack(unsaturated(model), x, y, seeds)


def unsaturated(model: nn.Module) -> nn.Module:
    """The model with another backward pass of its last LayerNorm; its weights are shared, not copied."""
    norms = [name for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)]
    if not norms:
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)
    parent, _, name = norms[-1].rpartition(".")
    setattr(twin.get_submodule(parent), name, _HeldScale(model.get_submodule(norms[-1])))
    return twin


class _HeldScale(nn.Module):
    """A LayerNorm for which its inputs' scale is in part a constant, in the backward pass alone."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        assert isinstance(norm, nn.LayerNorm)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        norm, dims = self.norm, tuple(range(-len(self.norm.normalized_shape), 0))
        centred = x - x.mean(dims, keepdim=True)
        scale = (centred.square().mean(dims, keepdim=True) + norm.eps).sqrt()
        normed = centred / torch.lerp(scale, scale.detach(), _HELD)
        return normed if norm.weight is None else torch.addcmul(norm.bias, normed, norm.weight)
