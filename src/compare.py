"""Not a stage: show how the present headline metrics differ from the committed ones. Ends `make repro`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.errors import DataError
from deepfake.reporting.comparison import compare, describe
from deepfake.reporting.headline import read_headline, read_intervals
from deepfake.reporting.revision import Revision, find_revision
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headline", type=Path, default=Path("metrics/headline.json"), help="metrics to compare")
    parser.add_argument("--intervals", type=Path, default=Path("metrics/intervals.json"), help="their intervals")
    parser.add_argument("--revision", help="Git revision to compare with (default: HEAD)")
    args = parser.parse_args(argv)
    revision = find_revision(args.revision) if args.revision is not None else _head()

    if not args.headline.is_file():
        raise DataError(f"{args.headline}: no such file; run from the root of the repository, after `dvc repro report`")
    committed = revision and revision.read(args.headline)
    if not (revision and committed):
        name = args.revision or "HEAD"
        print(f"metrics: {args.headline} is not in Git revision {name}, so there is nothing to compare with")
        return
    then = read_headline(committed, f"{args.headline} of {revision.name}")
    now = read_headline(args.headline.read_bytes(), str(args.headline))
    intervals = read_intervals(revision.read(args.intervals) or "{}", f"{args.intervals} of {revision.name}")
    print("\n".join(describe(compare(then, now, intervals))))


def _head() -> Revision | None:
    """What is checked out; None where the code came without its history."""
    try:
        return find_revision("HEAD")
    except DataError:
        return None


if __name__ == "__main__":
    sys.exit(run(main))
