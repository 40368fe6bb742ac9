"""Stage: cut every face once at training size into a few shards."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.crops.caching import cut_videos, write_crops
from deepfake.params import load_params
from deepfake.records import FaceBox, FaceVideo
from deepfake.runtime import progress, replacing_folder, worker_count
from deepfake.stage import run
from deepfake.tables import read_rows
from deepfake.work import work_folder


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True, choices=("train", "cross"), help="which dataset of params.yaml")
    parser.add_argument("--faces", required=True, type=Path, help="folder that extract_faces wrote")
    parser.add_argument("--out", required=True, type=Path, help="folder for shards and index; replaced whole")
    args = parser.parse_args(argv)

    params = load_params()
    root = Path(params.datasets.of(args.role).root)
    videos = read_rows(args.faces / "videos.csv", FaceVideo)
    faces = read_rows(args.faces / "faces.csv", FaceBox)
    cut = cut_videos(
        videos, faces, params.crops, root=root, work=work_folder("cache_crops"), workers=worker_count()
    )  # fmt: skip
    with_faces = len({face.video for face in faces})
    crops = list(progress(cut, total=with_faces, title=f"crops ({args.role})"))
    with replacing_folder(args.out) as folder:
        write_crops(folder, videos, crops, params.crops)


if __name__ == "__main__":
    sys.exit(run(main))
