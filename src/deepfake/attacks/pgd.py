"""Projected gradient descent (Madry et al. 2018) and its one-step case FGSM (Goodfellow et al. 2015)."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project, random_point
from deepfake.attacks.protocol import ascent, keep_better, objective
from deepfake.modes import frozen
from deepfake.runtime import derive_seed


@dataclass(frozen=True)
class PGD:
    """Sign-gradient ascent on the objective, from a random point of the ball.

    Attributes:
        eps: budget in [0, 1] pixel space.
        steps: gradient steps of each start.
        restarts: starts; each row keeps the best of them.
        step_size: length of a step as a share of `eps`; None takes 2.5 / steps, which can cross the ball.
        random_start: False starts at the clean crop.
        keep_best: return the best point met, the clean crop included; False returns the last one, which saves two
            forward passes and is what training uses.
    """

    eps: float
    steps: int = 10
    restarts: int = 1
    step_size: float | None = None
    random_start: bool = True
    keep_best: bool = True

    def __post_init__(self) -> None:
        if self.restarts > 1 and not self.keep_best:
            raise ValueError("restarts need keep_best: which of them would be returned?")

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; with `keep_best` never worse for the attacker than the clean crop."""
        with frozen(model), torch.no_grad():
            if not self.keep_best:
                ((last, _),) = deque(self._climb(model, x, y, seeds), maxlen=1)  # the others are let go on the way
                return last
            best, best_value = x, objective(model(x), y)
            for restart in range(self.restarts):
                for x_adv, value in self._climb(model, x, y, _reseeded(seeds, restart)):
                    value = objective(model(x_adv), y) if value is None else value
                    best, best_value = keep_better(best, best_value, x_adv, value)
        return best

    def _climb(
        self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The points on the way up with their objectives (B,); that of the last one has not been computed."""
        length = self.eps * (2.5 / self.steps if self.step_size is None else self.step_size)
        x_adv = random_point(x, self.eps, seeds) if self.random_start else x
        for _ in range(self.steps):
            value, gradient = ascent(model, x_adv, y)
            yield x_adv, value
            x_adv = project(x_adv + length * gradient.sign(), x, self.eps)
        yield x_adv, None


def fgsm(eps: float) -> PGD:
    """One step of full length from the clean crop."""
    return PGD(eps, steps=1, step_size=1.0, random_start=False)


def _reseeded(seeds: Sequence[int], restart: int) -> list[int]:
    return [derive_seed(seed, "restart", restart) for seed in seeds]
