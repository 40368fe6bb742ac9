"""Where and how a stage runs: device, workers, ranks, seeds, progress, and files that are there whole or not at all.

Device and workers come from the environment and not from params.yaml: they must not invalidate results.
"""

import hashlib
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from deepfake.errors import SettingsError

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def open_device() -> "torch.device":
    """The device to compute on: `DEEPFAKE_DEVICE` (cpu, cuda, cuda:1), else a GPU if there is one.

    Its convolutions keep all bits of float32: by default a GPU's would round to TF32's ten, which moves a logit further
    than thresholds allow for.

    Raises:
        SettingsError: the named device does not exist here.
    """
    import torch

    name = os.environ.get("DEEPFAKE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"DEEPFAKE_DEVICE={name}: {reason} (cpu, cuda or cuda:N would be right)") from error
    torch.backends.cudnn.allow_tf32 = False
    return device


def worker_count() -> int:
    """Number of worker threads: `DEEPFAKE_WORKERS`, else this process's share of the cores that it may use."""
    text = os.environ.get("DEEPFAKE_WORKERS", "")
    if not text:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // ranks_here())
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"DEEPFAKE_WORKERS={text}: a whole number of at least 1 would be right")
    return int(text)


def rank() -> int:
    """Number of this process, from 0, among those that torchrun started for the same stage."""
    return int(os.environ.get("RANK", "0"))


def rank_count() -> int:
    """Number of those processes, on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def ranks_here() -> int:
    """Number of those processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the process that writes what all of them found."""
    return rank() == 0


def derive_seed(*parts: object) -> int:
    """A 63-bit seed from a seed and names; independent of order of work and number of processes."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def progress(items: Iterable[Item], *, total: int, title: str) -> Iterator[Item]:
    """`items` with a progress bar that counts them."""
    with progress_bar(total=total, title=title) as bar:
        for item in items:
            yield item
            bar.update()


def progress_bar(*, total: int, title: str) -> tqdm:
    """A progress bar on stderr, of the first rank; a line every ten seconds where there is no terminal (CI logs)."""
    interval = 0.1 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, desc=title, mininterval=interval, dynamic_ncols=True, disable=not is_first())


def ahead(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Result]:
    """`map(work, items)` in order, computed by threads a few items ahead of whoever takes the results.

    Memory stays bounded: at most `2 * workers` results wait. For work that releases the GIL (decoding, OpenCV).
    """
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it if the block succeeds, so that no half file is ever seen.

    Works on read-only targets too: DVC's hardlink and symlink caches make outputs read-only.

    Raises:
        SettingsError: the path has no name of its own, such as `.`.
    """
    temporary = _beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Like `replacing`, for a whole folder; the old one is deleted when the new one is in its place."""
    temporary, old = _beside(path), _beside(path, "old.")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in (temporary, old):
        shutil.rmtree(left, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir():
            path.rename(old)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path, kind: str = "") -> Path:
    """A hidden path of this process beside another, which `make clean` knows."""
    if not path.name:
        raise SettingsError(f"{path}: cannot be replaced; a name of its own would be right")
    return path.with_name(f".{path.name}.{os.getpid()}.{kind}tmp")
