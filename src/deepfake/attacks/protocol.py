"""What every attack is: settings in a value, the model in the call."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn


class Attack(Protocol):
    """Perturbs crops so that a detector gets them wrong.

    The noise of a row comes from its seed alone: results do not depend on which rows share a batch. The model's
    modes, parameters and gradients are afterwards as they were.
    """

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int], /) -> Tensor:
        """Attacked crops.

        Args:
            model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
            x: clean crops (B, 3, S, S) in [0, 1].
            y: labels (B,), 1 for fake; a fake is pushed towards real, a real towards fake.
            seeds: of each row's noise (B,).

        Returns:
            Crops (B, 3, S, S) in [0, 1], at most the attack's budget away from `x` in every channel.
        """
        ...


def objective(logits: Tensor, y: Tensor) -> Tensor:
    """What an attacker maximises for each row (B,): how far the logit is on the wrong side.

    The logit itself and not a loss of its sigmoid: that would saturate, and its gradient vanish in float32, where a
    detector is sure of itself.
    """
    return (1 - 2 * y) * logits.float()


def ascent(model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The objective of each row (B,) and its gradient (B, 3, S, S) at crops `x`, both detached."""
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        value = objective(model(point), y)
        (gradient,) = torch.autograd.grad(value.sum(), point)
    return value.detach(), gradient


def keep_better(best: Tensor, best_value: Tensor, x_adv: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """For each row the crop (B, 3, S, S) with the larger objective (B,), and that objective."""
    won = value > best_value
    return torch.where(won.view(-1, 1, 1, 1), x_adv, best), torch.where(won, value, best_value)
