"""Stage: find the dominant face in every video of a dataset."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Before torch is imported: its threads would otherwise spin between two steps of MTCNN, on the cores that decode.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.faces.extraction import FoundFaces, extract_faces
from deepfake.faces.mtcnn import FaceFinder
from deepfake.params import load_params
from deepfake.ranks import gather, joined, share
from deepfake.records import FaceBox, FaceVideo, VideoRecord
from deepfake.runtime import is_first, open_device, progress, replacing_folder, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.work import work_folder

_THREADS = 2  # of a CPU for MTCNN, whatever it has: their number decides the last digits of a box


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True, choices=("train", "cross"), help="which dataset of params.yaml")
    parser.add_argument("--out", required=True, type=Path, help="folder for videos.csv and faces.csv; replaced whole")
    args = parser.parse_args(argv)

    params = load_params()
    dataset = params.datasets.of(args.role)
    records = find_videos(dataset, role=args.role)
    device = open_device()
    if device.type == "cpu":
        torch.set_num_threads(_THREADS)
    finder = FaceFinder(params.faces, device)
    mine = share(records)
    faces = extract_faces(mine, finder, params.faces, work=work_folder("extract_faces"), workers=worker_count())
    found = gather(progress(faces, total=len(mine), title=f"faces ({args.role})"))
    if not is_first():
        return
    rows = list(zip(records, found, strict=True))
    with replacing_folder(args.out) as folder:
        write_rows(folder / "videos.csv", FaceVideo, [_video_row(*row, Path(dataset.root)) for row in rows])
        write_rows(folder / "faces.csv", FaceBox, [box for _, faces in rows for box in faces.boxes])
    _report_coverage(rows, args.role, dataset.max_unusable, args.out / "videos.csv")


def _video_row(record: VideoRecord, faces: FoundFaces, root: Path) -> FaceVideo:
    return FaceVideo(
        video=str(record.key),
        path=record.path.relative_to(root).as_posix(),
        kind=record.kind,
        label=record.label,
        split=record.split,
        cluster=record.cluster,
        skin_tone=record.skin_tone,
        light=record.light,
        size_bytes=_size(record.path),
        frames_wanted=faces.frames_wanted,
        frames_found=faces.frames_found,
        reason=faces.reason,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # the row's reason says why


def _report_coverage(
    rows: Sequence[tuple[VideoRecord, FoundFaces]], role: str, max_unusable: float, table: Path
) -> None:
    reasons = Counter(faces.reason for _, faces in rows if not faces.boxes)
    unusable = sum(reasons.values())
    if unusable == len(rows) or unusable > max_unusable * len(rows):
        reason, count = reasons.most_common(1)[0]
        raise DataError(
            f"{table}: {unusable} of {len(rows)} videos have no usable face, datasets.{role}.max_unusable is "
            f"{max_unusable:g}; most often ({count}): {reason}"
        )
    wanted = sum(faces.frames_wanted for _, faces in rows)
    found = sum(faces.frames_found for _, faces in rows)
    print(f"{len(rows)} videos: the face was found in {found} of {wanted} frames ({found / wanted:.1%})")
    for reason, count in reasons.most_common():
        print(f"{count} videos without a face: {reason}")


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
