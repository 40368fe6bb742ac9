"""Free PGD (Shafahi et al. 2019): the gradient that trains the detector also moves the perturbation.

Every batch comes up several times in a row, and each time the perturbation goes one step on. An attack of as many
steps then costs no pass of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from deepfake.attacks.ball import project, uniform_noise
from deepfake.crops.batches import Batch
from deepfake.records import REAL


@dataclass
class Round:
    """One batch and what the adversaries made of it.

    Attributes:
        batch: the clean crops.
        x_pgd: PGD's crops, a leaf whose gradient moves them on when the batch is replayed; None without PGD.
        x_unet: the U-Net's version of the first crops of the batch; None without U-Net.
    """

    batch: Batch
    x_pgd: Tensor | None
    x_unet: Tensor | None


def replayed(batches: Iterable[Batch], times: int) -> Iterator[Batch]:
    """Every batch so many times in a row, as the same object."""
    for batch in batches:
        yield from repeat(batch, times)


def start(x: Tensor, eps: float, seeds: Sequence[int]) -> Tensor:
    """A random point of the ball around each crop (B, 3, S, S), as a leaf that gathers its gradient."""
    return project(x + uniform_noise(x, eps, seeds), x, eps).requires_grad_()


def move_on(x_adv: Tensor, x: Tensor, eps: float, length: float) -> Tensor:
    """A leaf one step further up the loss that `x_adv` gathered its gradient from, within `eps` of `x`.

    Args:
        x_adv: what `start` or `move_on` gave; without a gradient it stays where it is.
        x: clean crops (B, 3, S, S).
        eps: budget, which may have grown since.
        length: of the step, in [0, 1] pixel space.
    """
    if x_adv.grad is None:
        return x_adv
    return project(x_adv.detach() + length * x_adv.grad.sign(), x, eps).requires_grad_()


def spare_reals(met: Round, eps: float) -> Round:
    """The same, its reals moved back to within `eps` of what they were; what gathered a gradient still does."""
    is_real = (met.batch.y == REAL)[:, None, None, None]

    def nearer(x_adv: Tensor) -> Tensor:
        count = len(x_adv)
        near = project(x_adv.detach(), met.batch.x[:count], eps)
        return torch.where(is_real[:count], near, x_adv.detach()).requires_grad_(x_adv.requires_grad)

    x_pgd, x_unet = (nearer(x_adv) if x_adv is not None else None for x_adv in (met.x_pgd, met.x_unet))
    return Round(met.batch, x_pgd, x_unet)
