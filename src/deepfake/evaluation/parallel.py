"""Batches side by side: on a CPU, the detector's small maps keep one thread busy and no second."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

from deepfake.runtime import ahead

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], *, device: torch.device, workers: int
) -> Iterator[Result]:
    """`map(work, items)` in order; on a CPU `workers` items at once with one thread each, on a GPU one at a time.

    On a CPU the results do not depend on the number of workers, for an operation's sums are never shared out. The model
    that `work` asks must be in eval mode and frozen already: two attacks must not switch it under each other's feet.
    """
    if device.type != "cpu":
        yield from map(work, items)
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from ahead(work, items, workers=workers)
    finally:
        torch.set_num_threads(threads)
