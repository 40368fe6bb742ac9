"""Detectors that a command line names: a name, a checkpoint, and where a benchmark takes one, an attacker of it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from math import isclose
from pathlib import Path

import torch

from deepfake.attacks.learned import Learned, load_attacker
from deepfake.errors import SettingsError


def add_detectors(parser: ArgumentParser) -> None:
    """The option `--detector NAME FILE`, which can be repeated."""
    parser.add_argument("--detector", required=True, nargs=2, action="append", metavar=("NAME", "FILE"),
                        help="what to call it, and a checkpoint; can be repeated")  # fmt: skip


def open_attacker(path: Path, eps: float, device: torch.device) -> Learned:
    """A learned attacker whose budget is the one of the benchmark.

    Raises:
        SettingsError: it has another one, with which its result would stand under a wrong name.
        CheckpointError: as `load_attacker`.
    """
    learned = load_attacker(path, device)
    if not isclose(learned.eps, eps):
        raise SettingsError(f"{path}: fitted for a budget of {255 * learned.eps:g}/255, not {255 * eps:g}/255")
    return learned


def files_by_name(given: Sequence[Sequence[str]]) -> dict[str, list[Path]]:
    """The files of each detector.

    Raises:
        SettingsError: two have the same name.
    """
    named = {name: [Path(file) for file in files] for name, *files in given}
    if len(named) < len(given):
        raise SettingsError("--detector: a name of its own for each would be right")
    return named
