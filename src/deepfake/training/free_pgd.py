"""Free PGD (Shafahi et al. 2019): the gradient that trains the detector also moves the perturbation.

Every batch comes up several times in a row, and each time the perturbation goes one step on. An attack of as many
steps then costs no pass of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from torch import Tensor

from deepfake.crops.batches import Batch


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


def step_up(x_adv: Tensor, length: float) -> Tensor:
    """`x_adv`, one step further up the loss that it gathered its gradient from; without a gradient, where it was.

    Args:
        x_adv: attacked crops (B, 3, S, S), a leaf.
        length: of the step, in [0, 1] pixel space.
    """
    return x_adv if x_adv.grad is None else x_adv.detach() + length * x_adv.grad.sign()
