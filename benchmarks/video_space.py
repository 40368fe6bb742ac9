"""Does crop space stand for video space? Attacks crops, and scores them as crops and as crops of whole videos.

An attack moves the pixels of crops, but a video has whole frames. Here what an attack changed in a crop is pasted back
into the frame, the frames are encoded with libx264 and decoded, the face is found again with MTCNN, cut again and
scored. Beside it stand the same crops without all this, and with H.264 on the crops alone. From the repository's root:

    PYTHONPATH=src python benchmarks/video_space.py --role train --faces data/faces/train --crops data/crops/train \
        --detector baseline models/release/baseline.pt models/attacker_baseline.pt \
        --detector robust models/release/robust.pt models/attacker_robust.pt \
        --videos 40 --out benchmarks/results/video_space_train
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from detector_files import files_by_name, open_attacker
from timing import machine
from video_space_scores import Detector, attack_fakes, score_ways
from video_space_table import NO_ATTACK, VIDEO, Line, Seen, Way, build_lines, to_markdown
from whole_videos import Crops, Piece, look_again, read_piece, write_films

from deepfake.attacks.pgd import PGD
from deepfake.crops.choosing import evenly, few_per_video
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.errors import DataError, SettingsError
from deepfake.evaluation.attacked import Threat
from deepfake.faces.mtcnn import FaceFinder
from deepfake.metrics.bootstrap import draw_resamples
from deepfake.params import Params, load_params
from deepfake.records import FAKE, REAL, FaceBox
from deepfake.reporting.wording import budget
from deepfake.runtime import ahead, derive_seed, open_device, progress, replacing, worker_count
from deepfake.stage import run
from deepfake.tables import read_rows, write_rows
from deepfake.work import file_hash


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    crops = few_videos(args.crops, args.videos)
    detectors = [_load(name, files, params, device) for name, files in args.detector.items()]
    finder = FaceFinder(params.faces, device)
    seed = derive_seed(params.seed, "video space")
    resamples = draw_resamples((video.cluster for video in crops.videos.values()), params.report.resamples, seed)
    lines = [
        line
        for detector in detectors
        for line in build_lines(detector.name, _judge(detector, crops, args, params, finder), resamples)
    ]
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    with replacing(args.out.with_suffix(".md")) as temporary:
        temporary.write_text(to_markdown(lines, list(_notes(args, params, crops, device))), encoding="utf-8")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", required=True, choices=("train", "cross"), help="which dataset of params.yaml")
    parser.add_argument("--root", type=Path, help="the dataset's folder, where it is not the one in params.yaml")
    parser.add_argument("--faces", required=True, type=Path, help="folder that extract_faces wrote")
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--detector", required=True, action="append", nargs="+", metavar=("NAME", "FILE"),
                        help="name, checkpoint, and the U-Net fitted against it if there is one; can be repeated"
                        )  # fmt: skip
    parser.add_argument("--videos", type=int, default=40, help="test videos of each class (default: 40)")
    parser.add_argument("--crf", type=int, nargs="+", default=[23, 5], help="of H.264 (default: 23, and hardly any)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    args = parser.parse_args(argv)
    if not all(2 <= len(words) <= 3 for words in args.detector):
        raise SettingsError("--detector: a name, a checkpoint and maybe an attacker would be right")
    args.detector = files_by_name(args.detector)
    if args.videos < 1 or not all(0 <= crf <= 51 for crf in args.crf):
        raise SettingsError("--videos: at least 1 would be right; --crf: 0 to 51")
    return args


def few_videos(folder: Path, count: int) -> CropSet:
    """Crops of at most `count` test videos of each class, evenly spread over the index.

    Raises:
        DataError: a class is missing, or what the crops were cut from are no videos.
    """
    crops = open_crops(folder).in_splits(["test"])
    require_both_classes(crops, ["test"], folder)
    if not all(video.kind == "video" for video in crops.videos.values()):
        raise DataError(f"{folder}: holds single pictures; there is no video to put their crops back into")
    ones = few_per_video(crops, 1)
    chosen = {row.video for label in (REAL, FAKE) for row in evenly(ones.of_label(label).rows, count)}
    videos = {key: video for key, video in crops.videos.items() if key in chosen}
    return CropSet(videos, [row for row in crops.rows if row.video in videos], crops.shards)


def _load(name: str, files: Sequence[Path], params: Params, device: torch.device) -> Detector:
    model, *learned = files
    settings, seed = params.attack, derive_seed(params.seed, "evaluate")
    threats = [Threat("pgd", PGD(settings.eps, settings.steps, settings.restarts), settings.eps, seed)]
    threats += [Threat("unet", open_attacker(path, settings.eps, device), settings.eps, seed) for path in learned]
    return Detector(name, load_checkpoint(model).build(device), tuple(threats), params.evaluate.batch_size)


def _judge(
    detector: Detector, crops: CropSet, args: argparse.Namespace, params: Params, finder: FaceFinder
) -> dict[Way, Seen]:
    """What a detector says of crops and of whole videos, unattacked and under each of its attacks."""
    attacked = {threat.name: attack_fakes(detector, threat, crops) for threat in detector.threats}
    changes: dict[str, Crops] = {NO_ATTACK: {}, **attacked}
    with TemporaryDirectory() as name:
        folder = Path(name)
        films = {
            Way(attack, VIDEO, crf): look_again(folder, film, finder, params, title=f"faces, {attack}, CRF {crf}")
            for (attack, crf), film in write_films(folder, _pieces(args, params, crops), changes, args.crf).items()
        }
        return score_ways(detector, crops, changes, films, args.crf)


def _pieces(args: argparse.Namespace, params: Params, crops: CropSet) -> Iterator[Piece]:
    dataset = getattr(params.datasets, args.role)
    if not (args.root or dataset):
        raise SettingsError(f"datasets.{args.role} is not in params.yaml; --root would be right")
    boxes = {(face.video, face.frame): face.box for face in read_rows(args.faces / "faces.csv", FaceBox)}
    read = partial(read_piece, crops=crops, boxes=boxes, root=args.root or Path(dataset.root), params=params.crops)
    pieces = ahead(read, crops.videos.values(), workers=worker_count())
    return progress(pieces, total=len(crops.videos), title="whole videos")


def _notes(args: argparse.Namespace, params: Params, crops: CropSet, device: torch.device) -> Iterator[str]:
    labels = [video.label for video in crops.videos.values()]
    dataset = next(iter(crops.videos)).partition("/")[0]
    counts = f"{labels.count(FAKE)} fake and {labels.count(REAL)} real test videos"
    yield f"{dataset} ({args.role}): {counts}; seed {params.seed}"
    attack = params.attack
    yield f"attacks on fakes: eps {budget(attack.eps)}; PGD with {attack.steps} steps, best of {attack.restarts} starts"
    yield f"{len(crops.rows)} crops of {params.crops.size} pixels, cut with margin {params.crops.margin}"
    for name, files in args.detector.items():
        yield f"{name}: " + ", ".join(f"{file.name} {file_hash(file)[:12]}" for file in files)
    yield f"{machine(device)}; torch {torch.__version__}"


if __name__ == "__main__":
    sys.exit(run(main))
