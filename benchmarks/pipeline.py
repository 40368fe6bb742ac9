"""What DVC and start-up cost: nothing to do, many crops, and `--help` of every script.

- `dvc repro` with nothing to do, beside an empty DVC project's. Nothing is run: a pipeline that is not up to date is
  refused.
- `dvc status` and `dvc checkout` of made-up crops in a few shards, beside the same bytes with a file for each crop.
- `--help` of every script in src/, beside Python alone, and which large packages are imported for it.

From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/pipeline.py --out benchmarks/results/pipeline
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from stages_anew import require_up_to_date
from timing import Line, circumstances, in_turns, line, rotated, timed, write_table

from deepfake.errors import DeepfakeError
from deepfake.runtime import progress
from deepfake.stage import run

OURS, EMPTY, LOOSE, PYTHON = "ours", "an empty project", "a file for each crop", "python alone"
LARGE = ("torch", "torchvision", "timm", "facenet_pytorch", "cv2", "av", "sklearn", "scipy", "matplotlib", "dvclive",
         "numpy", "pydantic")  # fmt: skip
SHARDS, SIZE = 16, 64
ENVIRONMENT = os.environ | {"DVC_NO_ANALYTICS": "1", "PYTHONPATH": "src"}


class CommandError(DeepfakeError):
    """A command that was to be timed and failed."""


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    lines = [*_nothing_to_do(args.rounds), *_start_up(args.rounds)]
    with TemporaryDirectory() as folder:
        lines += _many_crops(Path(folder), args.crops, args.rounds)
    write_table(args.out, lines, [
        f"{args.crops} crops of {SIZE} pixels, random bytes; in {SHARDS} shards, or a file for each",
        "in brackets: the large packages that a script imports before it can show its help",
        circumstances(torch.device("cpu"), args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=100_000, help="made-up crops (default: 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="times that everything runs (default: 3)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def call(folder: Path, *command: str) -> str:
    """Run Python with a command line in a folder, and give what it printed.

    Raises:
        CommandError: it failed.
    """
    done = subprocess.run([sys.executable, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True,
                          check=False)  # fmt: skip
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


def large_imports(script: Path) -> list[str]:
    """The large packages that a script imports before it shows its help."""
    done = subprocess.run([sys.executable, "-X", "importtime", str(script), "--help"], env=ENVIRONMENT,
                          capture_output=True, text=True, check=True)  # fmt: skip
    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")}
    return [name for name in LARGE if name in imported]


def write_crops(folder: Path, count: int, *, loose: bool) -> None:
    """Random crops, the same ones each time, in shards or a file for each."""
    rng, size = np.random.default_rng(0), 3 * SIZE * SIZE
    folder.mkdir()
    places = [folder / f"{number:06d}.bin" for number in range(count if loose else SHARDS)]
    each = 1 if loose else -(-count // SHARDS)
    for place in progress(places, total=len(places), title=folder.name):
        place.write_bytes(rng.bytes(each * size))


def _nothing_to_do(rounds: int) -> Iterator[Line]:
    here = Path.cwd()
    require_up_to_date(here)
    with TemporaryDirectory() as name:
        empty = _dvc_project(Path(name))
        (empty / "dvc.yaml").write_text("stages: {}\n")
        ways = {OURS: partial(call, here, "-m", "dvc", "repro"), EMPTY: partial(call, empty, "-m", "dvc", "repro")}
        seconds = in_turns(ways, rounds, title="dvc repro")
    yield _slower("dvc repro, nothing to do", EMPTY, seconds[OURS], seconds[EMPTY], 1 / 1.5)


def _start_up(rounds: int) -> Iterator[Line]:
    here = Path.cwd()
    scripts = sorted(Path("src").glob("*.py"))
    ways = {script.name: partial(call, here, str(script), "--help") for script in scripts}
    seconds = in_turns({**ways, PYTHON: partial(call, here, "-c", "")}, rounds, title="--help")
    for script in scripts:
        task = f"{script.name} --help ({', '.join(large_imports(script)) or 'none'})"
        yield _slower(task, PYTHON, seconds[script.name], seconds[PYTHON])


def _many_crops(folder: Path, count: int, rounds: int) -> Iterator[Line]:
    projects = {}
    for name, loose in ((OURS, False), (LOOSE, True)):
        projects[name] = _dvc_project(folder / ("loose" if loose else "shards"))
        write_crops(projects[name] / "crops", count, loose=loose)
        call(projects[name], "-m", "dvc", "add", "--quiet", "crops")
    for command in ("status", "checkout"):
        seconds = _dvc_in_turns(projects, command, rounds)
        yield _slower(f"dvc {command}, {count} crops", LOOSE, seconds[OURS], seconds[LOOSE])


def _dvc_in_turns(projects: Mapping[str, Path], command: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of a DVC command; before a checkout the crops are gone."""
    seconds: dict[str, list[float]] = {name: [] for name in projects}
    for number in progress(range(rounds), total=rounds, title=f"dvc {command}"):
        for name in rotated(list(projects), number):
            if command == "checkout":
                shutil.rmtree(projects[name] / "crops")
            seconds[name].append(timed(partial(call, projects[name], "-m", "dvc", command)))
    return seconds


def _dvc_project(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    call(folder, "-m", "dvc", "init", "--quiet")
    return folder


def _slower(task: str, against: str, ours: Sequence[float], other: Sequence[float], goal: float | None = None) -> Line:
    return line(task, against, "seconds", ours, other, goal, less_is_better=True)


if __name__ == "__main__":
    sys.exit(run(main))
