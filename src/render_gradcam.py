"""Stage: explain both detectors on test fakes, clean, attacked and compressed: Grad-CAM in numbers and pictures."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from deepfake.attacks.ball import to_uint8
from deepfake.attacks.learned import load_attacker
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack
from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.batches import to_unit
from deepfake.crops.shards import open_crops
from deepfake.datasets.masks import mask_path
from deepfake.datasets.undo import read_undo
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.subset import few_test_videos
from deepfake.explain.looking import Face, Look, look_at, measure
from deepfake.explain.panels import Row, draw_panel
from deepfake.explain.perturbations import AttackedFace, draw_perturbations
from deepfake.explain.picking import pick_fakes
from deepfake.explain.regions import forged_region
from deepfake.findings import Explanation, UndoShare
from deepfake.params import Params, load_params
from deepfake.records import FAKE, Calibration, FaceBox, VideoKey
from deepfake.runtime import derive_seed, open_device, progress_bar, replacing_folder
from deepfake.stage import run
from deepfake.tables import read_rows, write_rows

QUALITY = 50  # of the JPEG where params.yaml names no codec that follows an attack
SHEET = 2  # faces on the sheet of perturbations


@dataclass(frozen=True)
class Subject:
    """A detector and the attacker that was fitted against it."""

    name: str
    model: nn.Module
    calibration: Calibration
    unet: Attack


Seen = dict[str, list[tuple[Look, Explanation]]]  # by condition, in the order of the faces


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    device = open_device()
    faces = list(_find_faces(args, params))
    subjects = [
        _load("baseline", args.baseline, args.baseline_attacker, device),
        _load("robust", args.robust, args.robust_attacker, device),
    ]
    seen = {subject.name: _explain(subject, faces, args.role, params) for subject in subjects}
    rows = [row for conditions in seen.values() for pairs in conditions.values() for _, row in pairs]
    with replacing_folder(args.out) as folder:
        write_rows(folder / "faces.csv", Explanation, rows)
        write_rows(folder / "undo.csv", UndoShare, _undo_shares(args, params))
    with replacing_folder(args.panels) as folder:
        shown = faces[: params.gradcam.faces]
        for number, face in enumerate(shown):
            panel_rows = [Row(each.name, each.calibration, _columns(seen[each.name], number)) for each in subjects]
            name = f"{number + 1:02d}_{VideoKey.parse(face.row.video).method}.png"
            (folder / name).write_bytes(draw_panel(face, panel_rows, eps=params.attack.eps))
        sheet = [_attacked(face, seen, number) for number, face in enumerate(shown[:SHEET])]
        (folder / "perturbations.png").write_bytes(draw_perturbations(sheet, eps=params.attack.eps))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True, choices=("train", "cross"), help="which dataset of params.yaml")
    parser.add_argument("--faces", required=True, type=Path, help="folder that extract_faces wrote")
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--baseline", required=True, type=Path, help="checkpoint of the baseline")
    parser.add_argument("--robust", required=True, type=Path, help="checkpoint of the robust detector")
    parser.add_argument("--baseline-attacker", required=True, type=Path, help="U-Net fitted against the baseline")
    parser.add_argument("--robust-attacker", required=True, type=Path, help="U-Net fitted against the robust detector")
    parser.add_argument("--out", required=True, type=Path, help="folder for the table of numbers; replaced whole")
    parser.add_argument("--panels", required=True, type=Path, help="folder for the pictures; replaced whole")
    return parser.parse_args(argv)


def _find_faces(args: argparse.Namespace, params: Params) -> Iterator[Face]:
    dataset = params.datasets.of(args.role)
    scored = few_test_videos(open_crops(args.crops), params.evaluate.suite.videos)
    crops = scored.in_splits(["test"])
    boxes = {(box.video, box.frame): box for box in read_rows(args.faces / "faces.csv", FaceBox)}
    for row in pick_fakes(crops, params.gradcam.measured, seed=params.seed):
        video, crop = crops.videos[row.video], np.array(crops.pixels(row))
        mask, box = mask_path(dataset, video), boxes.get((row.video, row.frame))
        region = None
        if mask and box:
            path = Path(dataset.root) / video.path
            region = forged_region(mask, path, box, size=len(crop), margin=params.crops.margin)
        yield Face(row, crop, region)


def _undo_shares(args: argparse.Namespace, params: Params) -> Iterator[UndoShare]:
    """What the dataset states of its test fakes."""
    stated = read_undo(Path(params.datasets.of(args.role).root) / "attributes.csv")
    for key, video in open_crops(args.crops).in_splits(["test"]).videos.items():
        shares = stated.get(VideoKey.parse(key)[1:], {}) if video.label == FAKE else {}
        yield from (UndoShare(key, eps, share) for eps, share in shares.items())


def _load(name: str, checkpoint: Path, attacker: Path, device: torch.device) -> Subject:
    loaded = load_checkpoint(checkpoint)
    return Subject(name, loaded.build(device), loaded.calibration, load_attacker(attacker, device))


def _explain(subject: Subject, faces: Sequence[Face], role: str, params: Params) -> Seen:
    seen: Seen = {}
    with progress_bar(total=len(faces), title=f"explain {subject.name} ({role})") as bar:
        for first in range(0, len(faces), params.evaluate.batch_size):
            batch = faces[first : first + params.evaluate.batch_size]
            looks = {name: look_at(subject.model, pixels) for name, pixels in _views(subject, batch, params).items()}
            for number, face in enumerate(batch):
                for condition, its in looks.items():
                    seed, clean = derive_seed(params.seed, face.row.video, face.row.frame), looks["clean"][number]
                    row = measure(subject.model, face, its[number], clean, seed=seed)
                    named = replace(row, model=subject.name, role=role, condition=condition)
                    seen.setdefault(condition, []).append((its[number], named))
                bar.update()
    return seen


def _views(subject: Subject, faces: Sequence[Face], params: Params) -> dict[str, np.ndarray]:
    """By condition what the detector is shown, uint8 RGB (B, S, S, 3)."""
    quality = next(iter(params.evaluate.attacked_jpeg_quality), QUALITY)
    clean = np.stack([face.crop for face in faces])
    x = to_unit(clean, next(subject.model.parameters()).device)
    y = torch.ones(len(x), device=x.device)
    seeds = [derive_seed(params.seed, face.row.video, face.row.frame) for face in faces]
    pgd = PGD(params.attack.eps, params.attack.steps, params.attack.restarts)
    attacked = to_uint8(subject.unet(subject.model, x, y, seeds), x)
    return {
        "clean": clean,
        "pgd": to_uint8(pgd(subject.model, x, y, seeds), x),
        "unet": attacked,
        f"jpeg{quality}": _compress(clean, quality),
        f"unet_jpeg{quality}": _compress(attacked, quality),
    }


def _compress(pictures: np.ndarray, quality: int) -> np.ndarray:
    return np.stack([jpeg(picture, quality=quality) for picture in pictures])


def _columns(seen: Seen, number: int) -> dict[str, tuple[Look, Explanation]]:
    """What a panel shows of one face, by the title of the column."""
    compressed = next(condition for condition in seen if condition.startswith("unet_jpeg"))
    titles = {
        "clean": "clean",
        "pgd": "PGD attack",
        compressed: f"U-Net attack, then JPEG {compressed.removeprefix('unet_jpeg')}",
    }
    return {title: seen[condition][number] for condition, title in titles.items()}


def _attacked(face: Face, seen: dict[str, Seen], number: int) -> AttackedFace:
    attacked = {
        model: {title: its[condition][number][0].pixels for condition, title in (("pgd", "PGD"), ("unet", "U-Net"))}
        for model, its in seen.items()
    }
    return AttackedFace(face.row.video, face.crop, attacked)


if __name__ == "__main__":
    sys.exit(run(main))
