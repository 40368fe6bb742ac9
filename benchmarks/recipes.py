"""What checkpoints are worth by the ablation's measure, side by side: clean, across datasets, and the worst case.

For detectors that were trained elsewhere, at another revision or by other commands. From the repository's root:

    PYTHONPATH=src python benchmarks/recipes.py --crops data/crops \
        --detector baseline models/release/baseline.pt --detector robust models/release/robust.pt \
        --out benchmarks/results/recipes
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from ablation_table import AUCS, judge
from detector_files import add_detectors, files_by_name
from timing import machine, write_markdown

from deepfake.params import load_params
from deepfake.runtime import open_device, progress
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.work import file_hash


@dataclass(frozen=True)
class Line:
    """One checkpoint; AUCs of test videos, in [0, 1].

    Attributes:
        name: what it is called.
        file: the first digits of its file's hash.
        clean, clean_cross: in-domain and across datasets, nobody attacking.
        worst_2, worst_4, worst_8: in-domain, evasion at a budget in steps of 1/255, PGD and then APGD on what stands.
    """

    name: str
    file: str
    clean: float
    clean_cross: float
    worst_2: float
    worst_4: float
    worst_8: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    files = files_by_name(args.detector)
    lines = []
    for name, [path] in progress(files.items(), total=len(files), title="checkpoints"):
        found = judge(path, args.crops, params, device)
        lines.append(Line(name, file_hash(path)[:12], **found))
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    head = ["checkpoint", "file", "clean", "clean, cross", "worst at 2/255", "at 4/255", "at 8/255"]
    rows = [[line.name, line.file, *(f"{getattr(line, auc):.3f}" for auc in AUCS)] for line in lines]
    write_markdown(args.out, head, rows, [
        f"AUC of test videos; worst: evasion, PGD-{params.attack.steps} and then APGD-"
        f"{params.evaluate.quick.apgd_steps} on what stands, {params.evaluate.eps_frames} frame a video",
        "one training of each: differences of some hundredths mean nothing",
        f"attacked on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_detectors(parser)
    parser.add_argument("--crops", required=True, type=Path, help="folder with the crops of each dataset role")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
