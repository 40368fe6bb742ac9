"""Stage: render the sample dataset in the folder layouts of FaceForensics++ and Celeb-DF v2."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.params import load_params
from deepfake.runtime import replacing_folder, worker_count
from deepfake.sample.writing import write_sample
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for ffpp/ and celebdf/; replaced whole")
    options = parser.parse_args(argv)

    params = load_params()
    with replacing_folder(options.out) as folder:
        write_sample(folder, params.sample, seed=params.seed, workers=worker_count())


if __name__ == "__main__":
    sys.exit(run(main))
