"""Auto-PGD (Croce and Hein 2020): projected gradient ascent with momentum that finds its own step size."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project, random_point
from deepfake.attacks.protocol import ascent, keep_better, objective
from deepfake.modes import frozen
from deepfake.runtime import derive_seed

_ALPHA, _RHO = 0.75, 0.75  # the paper's: weight of the new step against the momentum; share of rises that is enough


@dataclass(frozen=True)
class APGD:
    """Steps of twice the budget at first; each row halves its own where it no longer gains, and resumes from its best.

    The objective is ±logit. For one logit that is the paper's cross-entropy: one is a rising function of the other, so
    they have the same signs of gradients and rank points alike, but cross-entropy vanishes where a detector is sure.

    Attributes:
        eps: budget in [0, 1] pixel space.
        steps: gradient steps of each start.
        restarts: random starts; each row keeps the best of them.
    """

    eps: float
    steps: int = 100
    restarts: int = 1

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; never worse for the attacker than the clean crop."""
        with frozen(model), torch.no_grad():
            best, best_value = x, objective(model(x), y)
            for restart in range(self.restarts):
                start = random_point(x, self.eps, [derive_seed(seed, "apgd", restart) for seed in seeds])
                best, best_value = keep_better(best, best_value, *self._climb(model, x, y, start))
        return best

    def _climb(self, model: nn.Module, x: Tensor, y: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """The best point on the way up from `start`, and its objective (B,). Algorithm 1 of the paper."""
        x_adv = before = best = start
        value, gradient = ascent(model, x_adv, y)
        best_value, best_gradient = value, gradient
        length, rises = torch.full_like(value, 2 * self.eps), torch.zeros_like(value)
        halved, checked_value = torch.zeros_like(value, dtype=torch.bool), value
        checkpoint, ends = 0, checkpoints(self.steps)
        for step in range(1, self.steps + 1):
            alpha = 1.0 if step == 1 else _ALPHA
            z = project(x_adv + _rows(length) * gradient.sign(), x, self.eps)
            ahead = x_adv + alpha * (z - x_adv) + (1 - alpha) * (x_adv - before)
            x_adv, before, last_value = project(ahead, x, self.eps), x_adv, value
            value, gradient = ascent(model, x_adv, y)
            best_gradient = torch.where(_rows(value > best_value), gradient, best_gradient)
            best, best_value = keep_better(best, best_value, x_adv, value)
            rises += value > last_value
            if step in ends:
                few_rises = rises < _RHO * (step - checkpoint)
                halved = few_rises | (~halved & (best_value <= checked_value))
                length = torch.where(halved, length / 2, length)
                x_adv, value = torch.where(_rows(halved), best, x_adv), torch.where(halved, best_value, value)
                gradient = torch.where(_rows(halved), best_gradient, gradient)
                checkpoint, checked_value, rises = step, best_value, torch.zeros_like(rises)
        return best, best_value


def checkpoints(steps: int) -> list[int]:
    """The steps after which a row may halve its step size: 22, 41, 57, ... percent of `steps`, ever closer."""
    percents = [0, 22]
    while percents[-1] < 100:
        percents.append(percents[-1] + max(percents[-1] - percents[-2] - 3, 6))
    return sorted({-(-percent * steps // 100) for percent in percents[1:] if percent <= 100})


def _rows(values: Tensor) -> Tensor:
    """Values (B,) that multiply or choose rows of (B, 3, S, S)."""
    return values.view(-1, 1, 1, 1)
