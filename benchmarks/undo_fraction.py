"""How much of a forgery lies within an attacker's budget: the sample's forgeries beside those of FaceForensics++.

A pixel of a fake that differs from the original video's by at most eps can be set back, and no detector can win it. The
sample knows its masks and its frames before the last encode, and states this share in attributes.csv. Real data have
neither, so here both are measured in the same way: on decoded frames of the target's video and of its fakes (the
frames of FaceForensics++ are aligned), over the box of the face. From the repository's root:

    PYTHONPATH=src python benchmarks/undo_fraction.py --root data/raw/sample/ffpp --root /data/FaceForensics++ \
        --out benchmarks/results/undo_fraction
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.params import DatasetParams, load_params
from deepfake.records import FAKE, Box, VideoRecord
from deepfake.runtime import open_device, progress, replacing
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.video.decoding import read_frames

BUDGETS = (1, 2, 4, 8)  # in steps of 1/255
FRAMES = (0, 12, 24)  # of each video


@dataclass(frozen=True)
class Line:
    """One method of one dataset: fakes, and the mean share of the face's pixels within each budget, in [0, 1]."""

    dataset: str
    method: str
    fakes: int
    within_1: float
    within_2: float
    within_4: float
    within_8: float


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, action="append", type=Path, help="FaceForensics++ tree; repeatable")
    parser.add_argument("--fakes", type=int, default=12, help="fakes of each method (default: 12)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    args = parser.parse_args(argv)
    finder = Finder()
    lines = [line for root in args.root for line in measure(root, args.fakes, finder)]
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    with replacing(args.out.with_suffix(".md")) as temporary:
        temporary.write_text(to_markdown(lines), encoding="utf-8")


class Finder:
    """The face of a frame, by the MTCNN and the settings of the pipeline."""

    def __init__(self) -> None:
        self._params = load_params().faces
        self._faces = FaceFinder(self._params, open_device())

    def __call__(self, frame: np.ndarray) -> Box | None:
        """The most probable face's box in pixels of `frame`, uint8 RGB (H, W, 3); None without a face."""
        small, factor = shrink(frame, self._params.max_side)
        (found,) = self._faces.find([small])
        return Box(*(factor * side for side in found[0].box)) if found else None


def measure(root: Path, fakes: int, finder: Finder) -> Iterator[Line]:
    """A line for each method of a dataset."""
    videos = find_videos(DatasetParams(layout="ffpp", root=str(root)), role="train")
    originals = {video.key.video: video.path for video in videos if video.label != FAKE}
    by_method: dict[str, list[VideoRecord]] = defaultdict(list)
    for video in videos:
        if video.label == FAKE:
            by_method[video.key.method].append(video)
    for method, found in by_method.items():
        some = found[:: -(-len(found) // fakes)]
        shares = [
            share
            for video in progress(some, total=len(some), title=method)
            for share in _shares(video.path, originals[video.key.video.split("_")[0]], finder)
        ]
        if not shares:
            raise DataError(f"{root}: no face in the frames of {method}")
        yield Line(root.name, method, len(some), *(round(fmean(column), 4) for column in zip(*shares, strict=True)))


def within(fake: np.ndarray, original: np.ndarray) -> list[float]:
    """Share of pixels whose furthest channel is within each budget; both uint8 (H, W, 3) of the same shape."""
    distance = cv2.absdiff(fake, original).max(axis=-1)
    return [float((distance <= budget).mean()) for budget in BUDGETS]


def to_markdown(lines: Sequence[Line]) -> str:
    """The table, and how it was made."""
    rows = [
        f"| {line.dataset} | {line.method} | {line.fakes} | "
        + " | ".join(f"{100 * getattr(line, f'within_{budget}'):.0f} %" for budget in BUDGETS)
        + " |"
        for line in lines
    ]
    head = ["| dataset | method | fakes | " + " | ".join(f"{budget}/255" for budget in BUDGETS) + " |"]
    note = f"Mean share of the face box's pixels, on frames {', '.join(map(str, FRAMES))} of each video, as decoded."
    return "\n".join([*head, f"|{'---|' * 7}", *rows, "", note, ""])


def _shares(fake: Path, original: Path, finder: Finder) -> Iterator[list[float]]:
    made, (true, _) = read_frames(fake, FRAMES)[0], read_frames(original, FRAMES)
    for number in sorted(made.keys() & true.keys()):
        box = finder(true[number])
        if box is not None and made[number].shape == true[number].shape:
            area = np.s_[max(0, int(box.y0)) : int(box.y1), max(0, int(box.x0)) : int(box.x1)]
            yield within(made[number][area], true[number][area])


if __name__ == "__main__":
    sys.exit(run(main))
