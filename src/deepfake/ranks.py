"""Several processes that share the work of one stage: the ranks that torchrun starts, on one machine or on several.

A stage whose work is shared runs on every rank: each takes its share, what they found is gathered, and the first rank
writes it. All ranks must call what exchanges something (`gather`, `agree`, ...) in the same order. Other stages run
on the first rank alone, and never join; there, as without torchrun, every function here gives back what it was given.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from deepfake.errors import SettingsError
from deepfake.runtime import rank, rank_count, ranks_here

if TYPE_CHECKING:
    from torch import Tensor

Item = TypeVar("Item")

# Ranks wait for each other as long as a share of a large dataset may take; a dead one is the launcher's to notice.
_PATIENCE = timedelta(days=2)


@contextmanager
def joined() -> Iterator[None]:
    """Connect the ranks while the block runs, and give each a GPU of its own where there are any.

    Decorates the `main` of a script that runs on all of them.

    Raises:
        SettingsError: more ranks than GPUs.
    """
    if rank_count() == 1:
        yield
        return
    import torch
    from torch import distributed

    if (gpus := torch.cuda.device_count()) and not os.environ.get("DEEPFAKE_DEVICE", "").startswith("cpu"):
        if ranks_here() > gpus:
            raise SettingsError(
                f"{ranks_here()} processes and {gpus} GPUs: at most one process for a GPU would be right"
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    yield
    distributed.destroy_process_group()  # not after an error: the others may wait for this one, and never would end


def share(items: Sequence[Item]) -> Sequence[Item]:
    """The items that are this rank's: every n-th."""
    return items[rank() :: _joined_count()]


def share_of_batch(items: Sequence[Item]) -> Sequence[Item]:
    """This rank's part of a batch; all parts are equally large, so that a mean over the batch is the mean of means.

    Raises:
        SettingsError: the batch cannot be divided so.
    """
    if len(items) % (count := _joined_count()):
        raise SettingsError(f"a batch of {len(items)} cannot be divided among {count} processes: change batch_size")
    return share(items)


def gather(mine: Iterable[Item]) -> list[Item]:
    """What all ranks have, on every rank, in the order of the items that `share` gave out, one result for each."""
    mine = list(mine)
    if (count := _joined_count()) == 1:
        return mine
    from torch import distributed

    parts: list[list[Item]] = [[] for _ in range(count)]
    distributed.all_gather_object(parts, mine)
    return [part[place] for place in range(max(map(len, parts))) for part in parts if place < len(part)]


def agree(value: Item) -> Item:
    """What the first rank has, on every rank: where all decide by it, none may have another last digit."""
    if _joined_count() == 1:
        return value
    from torch import distributed

    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def wait() -> None:
    """Go on when all ranks have come so far."""
    agree(None)


def average_over_ranks(tensors: Iterable["Tensor"]) -> None:
    """Replace floating-point tensors by their means over all ranks, in place, in one exchange."""
    if (count := _joined_count()) == 1:
        return
    import torch
    from torch import distributed

    floats = [tensor for tensor in tensors if tensor.is_floating_point()]
    if not floats:
        return
    flat = torch.cat([tensor.detach().flatten() for tensor in floats])
    distributed.all_reduce(flat)
    flat /= count
    for tensor, part in zip(floats, flat.split([tensor.numel() for tensor in floats]), strict=True):
        tensor.detach().copy_(part.view_as(tensor))


def _joined_count() -> int:
    """Number of ranks that this stage shares its work with, itself included."""
    if rank_count() == 1:
        return 1
    from torch import distributed

    return rank_count() if distributed.is_initialized() else 1
