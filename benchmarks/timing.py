"""Ours beside what people use, in one go: ways that take turns, ratios of times of the same round, and their table.

Absolute times depend on what else the machine does. Ways that run one after the other suffer alike, so a ratio is taken
within a round, and the median over the rounds. The order of the ways moves on by one every round.
"""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from deepfake.runtime import progress_bar, replacing
from deepfake.tables import write_rows

Way = Callable[[], object]
Seconds = Mapping[str, Sequence[float]]  # of every way, by round

_COLUMNS = ("what", "against", "ours", "the other", "unit", "ratio (range)", "goal", "")


class Took(float):
    """Seconds that a way has measured itself, because what it prepares is no part of the comparison."""


@dataclass(frozen=True)
class Line:
    """One comparison of ours with another way.

    Attributes:
        task: what is done.
        against: the other way of doing it.
        unit: of `ours` and `other`.
        ours, other: median over the rounds.
        ratio: how many times as good ours is, median over the rounds; below 1 it is worse.
        low, high: the worst and the best round.
        goal: what the ratio should be at least, or NaN.
    """

    task: str
    against: str
    unit: str
    ours: float
    other: float
    ratio: float
    low: float
    high: float
    goal: float = nan


def in_turns(ways: Mapping[str, Way], rounds: int, *, title: str, warm_up: bool = True) -> dict[str, list[float]]:
    """Seconds of every way in every round, all ways of a round one after the other.

    Args:
        ways: by name.
        rounds: how many are counted.
        title: of the progress bar.
        warm_up: a first round that is not counted: what is compiled, cached or started once is no part of the speed.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    with progress_bar(total=(rounds + warm_up) * len(ways), title=title) as bar:
        for number in range(-warm_up, rounds):
            for name in rotated(list(ways), number):
                seconds = timed(ways[name])
                bar.update()
                if number >= 0:
                    found[name].append(seconds)
    return found


def rotated(names: Sequence[str], number: int) -> list[str]:
    """The names in their order, from another one on each time."""
    start = number % len(names)
    return [*names[start:], *names[:start]]


def timed(way: Way) -> float:
    """Seconds of one call, until the GPU is done too where there is one; or those that the way `Took` by itself."""
    start = now()
    found = way()
    return found if isinstance(found, Took) else now() - start


def now() -> float:
    """Seconds on a clock, read when the GPU has nothing left to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def compare(
    task: str, seconds: Seconds, ours: str, *, count: float, unit: str, goals: Mapping[str, float] | None = None
) -> list[Line]:
    """A line for every way but ours: how many times as fast ours is.

    Args:
        task: what the ways do.
        seconds: as `in_turns` gives them.
        ours: name of our way.
        count: units of work that a call does.
        unit: what is counted, such as `frames/s`.
        goals: ratios to reach, by the name of the other way.
    """
    return [
        line(task, name, unit, [count / s for s in seconds[ours]], [count / s for s in each], (goals or {}).get(name))
        for name, each in seconds.items()
        if name != ours
    ]


def line(
    task: str, against: str, unit: str, ours: Sequence[float], other: Sequence[float], goal: float | None = None,
    *, less_is_better: bool = False,
) -> Line:  # fmt: skip
    """One comparison, of the values that the rounds gave."""
    pairs = zip(other, ours, strict=True) if less_is_better else zip(ours, other, strict=True)
    ratios = [good / bad for good, bad in pairs]
    numbers = median(ours), median(other), median(ratios), min(ratios), max(ratios)
    return Line(task, against, unit, *numbers, nan if goal is None else goal)


def machine(device: torch.device) -> str:
    """The hardware that torch computes on, as its vendor calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")  # where there is none, the platform knows the name
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()


def circumstances(device: torch.device, rounds: int) -> str:
    """Where and how the numbers were made, for the notes below a table."""
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    rounded = f"{rounds} rounds in turns, medians; load at the end {busy}"
    return f"{machine(device)}; torch {torch.__version__}; {rounded}; revision {_revision()}"


def _revision() -> str:
    """Of the code that was timed, `-dirty` where it was changed since."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write_table(out: Path, lines: Sequence[Line], notes: Iterable[str]) -> None:
    """Write the lines as `out`.csv, and with the notes below them as `out`.md."""
    write_rows(out.with_suffix(".csv"), Line, lines)
    write_markdown(out, _COLUMNS, [_cells(each) for each in lines], notes)


def write_markdown(out: Path, head: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]) -> None:
    """Write a Markdown table and a list of notes as `out`.md."""
    table = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    with replacing(out.with_suffix(".md")) as temporary:
        temporary.write_text("\n".join([*table, "", *(f"- {note}" for note in notes), ""]), encoding="utf-8")


def amount(value: float) -> str:
    """A number with about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cells(each: Line) -> list[str]:
    goal = "" if isnan(each.goal) else f"at least {each.goal:.2f}"
    verdict = "" if isnan(each.goal) else "met" if each.ratio >= each.goal else "**missed**"
    ratio = f"{each.ratio:.2f} ({each.low:.2f} to {each.high:.2f})"
    return [each.task, each.against, amount(each.ours), amount(each.other), each.unit, ratio, goal, verdict]
