"""Gradients where a detector is sure of itself: past the LayerNorm that bounds its logit."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deepfake.attacks.protocol import Attack


@dataclass(frozen=True)
class Unsaturated:
    """An attack that does not stop where a detector is sure of itself.

    A logit after a LayerNorm is bounded: but for constants it is the cosine of the angle between two vectors, or the
    mean of several. Close to the bound its gradient fades like a sigmoid's. What a step adds along the normalised
    vector is divided out again, so the gradient does not hold it, though enough of it would turn the vector round; what
    is left points nowhere, and PGD, APGD and Square stop. So the attack sees a twin of the detector with the same
    logits, whose gradient keeps that part where it shortens the vector (a backward pass of one's own is BPDA, Athalye
    et al. 2018). Where it lengthens it, on the attacker's side of the bound, the gradient is the true one.

    Attributes:
        attack: what climbs that gradient.
    """

    attack: Attack

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; a model without a LayerNorm is attacked as it is."""
        return self.attack(unsaturated(model), x, y, seeds)


def unsaturated(model: nn.Module) -> nn.Module:
    """The model with another backward pass of its last LayerNorm, for what is to be maximised; weights are shared.

    The last is the one that was registered last: the one before the logit in every detector of this project.
    """
    norms = [name for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)]
    if not norms:
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    twin = copy.deepcopy(model, shared)
    parent, _, name = norms[-1].rpartition(".")
    setattr(twin.get_submodule(parent), name, _UnboundedNorm(model.get_submodule(norms[-1])))
    return twin


class _UnboundedNorm(nn.Module):
    """A LayerNorm with the backward pass of `_Normalise`."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        assert isinstance(norm, nn.LayerNorm)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        norm, dims = self.norm, tuple(range(-len(self.norm.normalized_shape), 0))
        normed = _Normalise.apply(x - x.mean(dims, keepdim=True), dims, norm.eps)
        weighted = normed if norm.weight is None else normed * norm.weight
        return weighted if norm.bias is None else weighted + norm.bias


class _Normalise(torch.autograd.Function):
    """Vectors (..., D) divided by the root of their mean square."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
        shrink = (x.square().mean(dims, keepdim=True) + eps).rsqrt()
        ctx.dims, normed = dims, x * shrink
        ctx.save_for_backward(normed, shrink)
        return normed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        normed, shrink = ctx.saved_tensors
        along = (gradient * normed).mean(ctx.dims, keepdim=True)
        # The true derivative takes all of `along` out; here it stays where it makes the vector shorter.
        return (gradient - normed * along.clamp(min=0)) * shrink, None, None
