"""Attacks that know less than the gradient: one of them beating PGD means that gradients mislead.

See Carlini et al. (2019), section 3, and Athalye et al. (2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project, uniform_noise
from deepfake.attacks.protocol import Attack, keep_better, objective
from deepfake.modes import frozen
from deepfake.runtime import derive_seed


@dataclass(frozen=True)
class RandomNoise:
    """The best of some random corners of the ball.

    Attributes:
        eps: budget in [0, 1] pixel space.
        tries: corners that are tried for each row.
    """

    eps: float
    tries: int = 10

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; never worse for the attacker than the clean crop."""
        with frozen(model), torch.no_grad():
            best, best_value = x.clone(), objective(model(x), y)
            for attempt in range(self.tries):
                corner = uniform_noise(x, 1.0, [derive_seed(seed, "noise", attempt) for seed in seeds]).sign()
                x_adv = project(x + self.eps * corner, x, self.eps)
                best, best_value = keep_better(best, best_value, x_adv, objective(model(x_adv), y))
        return best


@dataclass(frozen=True)
class Transfer:
    """What an attack does to another detector, handed to this one (Papernot et al. 2016).

    Attributes:
        surrogate: the detector that is attacked in its place.
        attack: by what.
    """

    surrogate: nn.Module
    attack: Attack

    def __call__(self, _model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; the model itself is not asked."""
        return self.attack(self.surrogate, x, y, seeds)
