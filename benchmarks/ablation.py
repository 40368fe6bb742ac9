"""Why the robust detector wins: the same training with one part of its recipe changed at a time.

Every row trains from the same baseline for the same number of optimiser steps (unless its name says otherwise), with
the stage's own script, and is then attacked on test videos of both datasets. Rows are trained side by side, a thread
each. A row that is finished is not trained again, and one that was killed goes on where it was. From the repository's
root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/ablation.py --baseline models/baseline.pt --attacker models/attacker_opening.pt \
        --crops data/crops --epochs 16 --out benchmarks/results/ablation

On a large GPU that takes half an hour. What two CPU cores do in an hour: `--epochs 3 --rows "the base:
batches of 32" "PGD only" "U-Net only" "nobody attacks (control)"`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import yaml
from ablation_rows import BASE_CHANGES, BASE_CROPS, ROWS, Row, change_robust
from ablation_table import Line, judge, to_markdown, units
from stages_anew import REPOSITORY, code_of, read_stages
from tqdm import tqdm

from deepfake.errors import DeepfakeError, SettingsError
from deepfake.params import Params, load_params
from deepfake.runtime import open_device, replacing, worker_count
from deepfake.stage import run
from deepfake.tables import read_rows, write_rows
from deepfake.work import file_hash, loaded_code, work_folder, work_key

SCRIPT = REPOSITORY / "src" / "train_robust.py"


class RowError(DeepfakeError):
    """A row whose training failed."""


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    for name in args.rows:
        if name not in ROWS:
            raise SettingsError(f"--rows: no {name!r}; there are {', '.join(ROWS)}")
        if not (args.epochs * ROWS[name].length).is_integer():
            raise SettingsError(
                f"--epochs {args.epochs}: {name!r} takes {ROWS[name].length} of them, and that is no whole number"
            )
    device = open_device()
    inputs = [file_hash(path) for path in (args.baseline, args.attacker, *sorted(args.crops.glob("*/*")))]
    inputs += [file_hash(path) for path in sorted(Path(__file__).parent.glob("ablation*.py"))]  # rows, and their judge
    inputs += [*code_of(read_stages(REPOSITORY / "dvc.lock", ["train_robust@robust"])), str(device)]

    def line(name: str) -> Line:
        return _line(name, args, params, inputs, device)

    lines: list[Line] = []
    with ThreadPoolExecutor(args.workers or worker_count()) as pool, tqdm(total=len(args.rows), desc="rows") as bar:
        for done in pool.map(line, args.rows):
            lines.append(done)
            bar.update()
            write_rows(args.out.with_suffix(".csv"), Line, lines)
    with replacing(args.out.with_suffix(".md")) as temporary:
        temporary.write_text(to_markdown(lines, params, args.epochs, device), encoding="utf-8")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baseline", required=True, type=Path, help="checkpoint that every row starts from")
    parser.add_argument("--attacker", required=True, type=Path, help="U-Net that was fitted against it")
    parser.add_argument("--crops", required=True, type=Path, help="folder with the crops of each dataset role")
    parser.add_argument("--epochs", type=int, default=16, help="epochs of each row (default: 16)")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), metavar="NAME", help="some rows only")
    parser.add_argument("--workers", type=int, help="rows at once (default: one a core)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def _line(name: str, args: argparse.Namespace, params: Params, inputs: Sequence[str], device: torch.device) -> Line:
    row = ROWS[name]
    settings = settings_of(row, params, args.epochs)
    folder = work_folder("ablation").absolute() / work_key(name, settings, row.adversaries, inputs, code=loaded_code())
    finished = folder / "line.csv"
    if finished.exists():
        return read_rows(finished, Line)[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    changed = load_params(folder / "params.yaml")
    minutes = _train(folder, row.adversaries, args)
    found = judge(folder / "robust.pt", args.crops, changed, device)
    cost = round(units(changed.robust, row.adversaries) * changed.robust.batch_size / BASE_CROPS, 3)
    line = Line(name, units=cost, minutes=round(minutes, 1), **found)
    write_rows(finished, Line, [line])
    return line


def settings_of(row: Row, params: Params, epochs: int) -> dict[str, Any]:
    """The parameters of a row as plain values; `epochs` are those of a row of full length."""
    return merged(params, BASE_CHANGES, change_robust(epochs=round(epochs * row.length)), row.changes)


def merged(params: Params, *changes: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as plain values with some of them changed."""
    settings = params.model_dump(mode="json")
    for change in changes:
        _update(settings, change)
    return settings


def _update(settings: dict[str, Any], change: Mapping[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, Mapping):
            _update(settings[key], value)
        else:
            settings[key] = value


def _train(folder: Path, adversaries: str, args: argparse.Namespace) -> float:
    """Minutes that the training took in this run; a row that was killed before counts from there on."""
    start = time.monotonic()
    command = [sys.executable, str(SCRIPT), "--crops", str((args.crops / "train").absolute()),
               "--baseline", str(args.baseline.absolute()), "--attacker", str(args.attacker.absolute()),
               "--adversaries", adversaries, "--out", "robust.pt", "--curves", "curves"]  # fmt: skip
    alone = os.environ | {"OMP_NUM_THREADS": "1", "DEEPFAKE_WORKERS": "1"}  # two rows of two threads fight for cores
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RowError(f"{folder}: {said[-1] if said else f'ended with status {done.returncode}'}")
    return (time.monotonic() - start) / 60


if __name__ == "__main__":
    sys.exit(run(main))
