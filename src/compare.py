"""Not a stage: show how the present headline metrics differ from the committed ones. Ends `make repro`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.errors import DataError
from deepfake.reporting.comparison import compare, describe
from deepfake.reporting.headline import read_headline, read_intervals
from deepfake.reporting.revision import read_committed, require_revision
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headline", type=Path, default=Path("metrics/headline.json"), help="metrics to compare")
    parser.add_argument("--intervals", type=Path, default=Path("metrics/intervals.json"), help="their intervals")
    parser.add_argument("--revision", help="Git revision to compare with (default: HEAD)")
    args = parser.parse_args(argv)
    if args.revision is not None:
        require_revision(args.revision)
    revision = args.revision or "HEAD"

    if not args.headline.is_file():
        raise DataError(f"{args.headline}: no such file; run `dvc repro report`")
    committed = read_committed(args.headline, revision)
    if committed is None:
        print(f"metrics: {args.headline} is not in Git revision {revision}, so there is nothing to compare with")
        return
    intervals = read_intervals(read_committed(args.intervals, revision) or "{}")
    now = read_headline(args.headline.read_text(encoding="utf-8"))
    print("\n".join(describe(compare(read_headline(committed), now, intervals))))


if __name__ == "__main__":
    sys.exit(run(main))
