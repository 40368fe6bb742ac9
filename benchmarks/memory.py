"""Peak memory of a piece of work: of the GPU where it runs on one, else of the process."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch
from timing import timed

from deepfake.runtime import open_device


class Cost(NamedTuple):
    """What a piece of work took: seconds, and peak memory in MB."""

    seconds: float
    peak: float


def measured(work: Callable[..., object], *args: object, of_host: bool = False) -> Cost:
    """What a call costs in this process, whatever else it holds included; `of_host`: of its own memory in any case."""
    device = torch.device("cpu") if of_host else open_device()
    _forget_peak(device)
    seconds = timed(lambda: work(*args))
    return Cost(seconds, _peak(device))


def measured_alone(work: Callable[..., object], *args: object, of_host: bool = False) -> Cost:
    """`measured` in a fresh process that has imported what it needs; all arguments must be picklable."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, work, *args, of_host=of_host).result()


def _forget_peak(device: torch.device) -> None:
    """Count the peak anew; outside of Linux the process's stays that of its whole life."""
    control = Path("/proc/self/clear_refs")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif control.exists():
        control.write_text("5")


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = (row.split()[1] for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(kilobytes) * 1024 / 1e6
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
