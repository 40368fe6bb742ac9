"""Detectors that a command line names: a name, a checkpoint, and where a benchmark takes one, an attacker of it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from deepfake.errors import SettingsError


def add_detectors(parser: ArgumentParser) -> None:
    """The option `--detector NAME FILE`, which can be repeated."""
    parser.add_argument("--detector", required=True, nargs=2, action="append", metavar=("NAME", "FILE"),
                        help="what to call it, and a checkpoint; can be repeated")  # fmt: skip


def files_by_name(given: Sequence[Sequence[str]]) -> dict[str, list[Path]]:
    """The files of each detector.

    Raises:
        SettingsError: two have the same name.
    """
    named = {name: [Path(file) for file in files] for name, *files in given}
    if len(named) < len(given):
        raise SettingsError("--detector: a name of its own for each would be right")
    return named
