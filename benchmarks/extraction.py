"""Face extraction beside the usual recipe, facenet-pytorch in batches, and bare decoding; its memory on long videos.

All look at the same frames. The usual recipe seeks every frame with OpenCV and runs MTCNN on the whole of it twice,
once to save the crop and once for the box. How many of its faces ours finds, and how well the boxes agree, is counted.
From the repository's root, for a few real videos:

    PYTHONPATH=src python benchmarks/extraction.py --out benchmarks/results/extraction \
        --videos /data/FaceForensics++/original_sequences/youtube/c23/videos/*.mp4
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as extract_faces does

import av
import cv2
import torch
from face_recipes import BatchedRecipe, Boxes, SeekingRecipe, decode_only
from memory import measured_alone
from timing import Line, circumstances, compare, in_turns, line, write_table
from torchvision.ops import box_iou

from deepfake.errors import DataError
from deepfake.faces.extraction import extract_faces
from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.sampling import plan_clips
from deepfake.params import ClipParams, FacesParams, load_params
from deepfake.records import REAL, VideoKey, VideoRecord
from deepfake.runtime import open_device, worker_count
from deepfake.stage import run
from deepfake.video.decoding import encoded_frame_count, read_frames
from deepfake.video.encoding import encode_h264

OURS, SEEKING, BATCHED, DECODING = "ours", "the usual recipe", "facenet-pytorch in batches", "bare decoding"
GOALS = {SEEKING: 12.0, BATCHED: 4.0, DECODING: 1 / 1.5}
FULL_HD, SECONDS, FPS = (1920, 1080), 10, 25  # of the clip that long videos repeat
SAME_FACE = 0.5  # overlap of two boxes, intersection over union


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params().faces.model_copy(update={"train_frames": ClipParams(clips=args.frames, length=1)})
    device = open_device()
    lines = [*_speed(args, params, device), *_memory(args, params)]
    write_table(args.out, lines, [
        f"{len(args.videos)} videos, {args.frames} frames each; ours with {worker_count()} decoding threads",
        f"ours finds a face of the recipe's where the IoU of their boxes is at least {SAME_FACE}",
        f"peak memory: a fresh process, one video of {FULL_HD[0]}x{FULL_HD[1]}, {SECONDS} s in a loop; one run",
        circumstances(device, args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", required=True, nargs="+", type=Path, help="video files with one face")
    parser.add_argument("--frames", type=int, default=32, help="frames of each video (default: 32)")
    parser.add_argument("--rounds", type=int, default=3, help="times that everything runs (default: 3)")
    parser.add_argument("--minutes", type=float, nargs=2, default=(1.0, 10.0), metavar=("SHORT", "LONG"),
                        help="lengths of the videos that memory is measured on (default: 1 10)")  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def extract(paths: Sequence[Path], params: FacesParams, finder: FaceFinder) -> dict[Path, Boxes]:
    """Our boxes by video and frame; nothing is remembered from an earlier call."""
    records = [VideoRecord(VideoKey("bench", "original", str(n)), path, "video", REAL, "train", "")
               for n, path in enumerate(paths)]  # fmt: skip
    with TemporaryDirectory() as work:
        found = extract_faces(records, finder, params, work=Path(work), workers=worker_count())
        return {path: {box.frame: box.box for box in faces.boxes} for path, faces in zip(paths, found, strict=True)}


def agreement(theirs: Mapping[Path, Boxes], ours: Mapping[Path, Boxes]) -> tuple[float, float]:
    """Share of their faces that are ours too, and the median overlap (IoU) with theirs.

    Raises:
        DataError: they found none.
    """
    overlaps = [
        float(box_iou(torch.tensor([box]), torch.tensor([ours[path][number]]))) if number in ours[path] else 0.0
        for path, boxes in theirs.items()
        for number, box in boxes.items()
    ]
    if not overlaps:
        raise DataError("the usual recipe finds no face in these videos")
    return sum(overlap >= SAME_FACE for overlap in overlaps) / len(overlaps), median(overlaps)


def write_looped(path: Path, clip: bytes, times: int) -> None:
    """A video that shows an encoded clip again and again; nothing is encoded anew."""
    with av.open(str(path), "w") as target:
        stream: av.VideoStream | None = None
        for turn in range(times):
            with av.open(BytesIO(clip), "r") as source:
                template = source.streams.video[0]
                stream = stream or target.add_stream_from_template(template)
                for packet in source.demux(template):
                    if packet.dts is not None and packet.pts is not None:  # the last one is empty
                        packet.pts += turn * (template.duration or 0)
                        packet.dts += turn * (template.duration or 0)
                        packet.stream = stream
                        target.mux(packet)


def _speed(args: argparse.Namespace, params: FacesParams, device: torch.device) -> Iterator[Line]:
    wanted = {path: [clip[0] for clip in plan_clips(encoded_frame_count(path), params.train_frames)]
              for path in args.videos}  # fmt: skip
    finder, seeking, batched = FaceFinder(params, device), SeekingRecipe(device), BatchedRecipe(device, 16)
    boxes: dict[str, dict[Path, Boxes]] = {}
    with TemporaryDirectory() as name:
        ways = {
            OURS: lambda: boxes.update({OURS: extract(args.videos, params, finder)}),
            SEEKING: lambda: boxes.update({SEEKING: {p: seeking(p, n, Path(name)) for p, n in wanted.items()}}),
            BATCHED: lambda: [batched(path, numbers) for path, numbers in wanted.items()],
            DECODING: lambda: [decode_only(path, numbers) for path, numbers in wanted.items()],
        }
        seconds = in_turns(ways, args.rounds, title="extraction", warm_up=False)
    frames = sum(map(len, wanted.values()))
    yield from compare("extract faces", seconds, OURS, count=frames, unit="frames/s", goals=GOALS)
    share, overlap = agreement(boxes[SEEKING], boxes[OURS])
    yield line("faces that the recipe finds", SEEKING, "share", [share], [1.0], 0.99)
    yield line("median IoU with the recipe's boxes", SEEKING, "IoU", [overlap], [1.0], 0.85)


def _memory(args: argparse.Namespace, params: FacesParams) -> Iterator[Line]:
    """Peak memory of a short and of a long video."""
    frames, _ = read_frames(args.videos[0], range(SECONDS * FPS))
    large = [cv2.resize(frame, FULL_HD, interpolation=cv2.INTER_CUBIC) for frame in frames.values()]
    clip = encode_h264(large, crf=23, fps=FPS, preset="veryfast")
    peaks = []
    with TemporaryDirectory() as name:
        for minutes in args.minutes:
            path = Path(name, f"{minutes}.mp4")
            write_looped(path, clip, max(1, round(60 * minutes * FPS / len(large))))
            peaks.append(measured_alone(extract_one, path, params, of_host=True).peak)
    short, long = peaks
    task = f"peak memory, {args.minutes[1]:g} minutes of video"
    yield line(task, f"{args.minutes[0]:g} minutes", "MB", [long], [short], 0.9, less_is_better=True)


def extract_one(path: Path, params: FacesParams) -> int:
    """Number of faces in one video; the whole of extraction in one call, for another process."""
    return len(extract([path], params, FaceFinder(params, open_device()))[path])


if __name__ == "__main__":
    sys.exit(run(main))
