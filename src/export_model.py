"""Stage: write a trained detector with float16 weights, small enough for Git; this is what is evaluated and shipped."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.detector.checkpoint import load_checkpoint, save_checkpoint
from deepfake.detector.half_precision import to_half_precision
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="checkpoint that training wrote")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    args = parser.parse_args(argv)

    save_checkpoint(args.out, to_half_precision(load_checkpoint(args.model)))
    before, after = (path.stat().st_size / 1e6 for path in (args.model, args.out))
    print(f"{args.out}: {after:.1f} MB, {before:.1f} MB with float32 weights")


if __name__ == "__main__":
    sys.exit(run(main))
