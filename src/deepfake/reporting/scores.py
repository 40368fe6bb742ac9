"""Score folders as evaluation left them, read and checked: one for each model and dataset role."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from deepfake.errors import DataError
from deepfake.findings import EpsScore, Perturbation, SanityCheck
from deepfake.records import FAKE, REAL, Calibration, FaceVideo, FrameScore, VideoKey
from deepfake.reporting.conditions import CLEAN, PGD, WORST, with_worst_case
from deepfake.reporting.items import Items, to_videos, with_faceless
from deepfake.tables import Row, read_rows

ALL_METHODS = "all"
FRAME, VIDEO, ALL_VIDEOS = "frame", "video", "video_all"  # the last calls videos without a face real

Scored = TypeVar("Scored", FrameScore, EpsScore)


@dataclass(frozen=True)
class ScoreSet:
    """All that one model said of one dataset's test split.

    Attributes:
        model, role: which model, which dataset.
        videos: all videos that were to be scored, other splits and videos without a face included.
        frames: scored test frames of each condition, `clean` first and the worst cases last.
        faceless: test frames as scored by a detector that never saw a face.
        calibration: thresholds and temperature, fitted on validation videos.
        eps_curve: scored test frames under PGD and in the worst case of each budget, ascending; a few of every video.
        perturbations: what the attacks did to the crops.
        checks: tests of whether the model's robustness can be believed.
    """

    model: str
    role: str
    videos: tuple[FaceVideo, ...]
    frames: dict[str, Items]
    faceless: Items
    calibration: Calibration
    eps_curve: dict[str, dict[float, Items]]
    perturbations: tuple[Perturbation, ...]
    checks: tuple[SanityCheck, ...]

    @property
    def name(self) -> str:
        return f"{self.model}_{self.role}"

    @property
    def dataset(self) -> str:
        """Name of the dataset, or the names of those that a manifest mixes."""
        return ", ".join(sorted({VideoKey.parse(video.video).dataset for video in self.videos}))

    @property
    def test_videos(self) -> tuple[FaceVideo, ...]:
        return tuple(video for video in self.videos if video.split == "test")

    @property
    def methods(self) -> tuple[str, ...]:
        """Forgery methods of the test videos, by name."""
        return tuple(sorted({video.method for video in self.test_videos if video.label == FAKE}))


def load_score_sets(root: Path, roles: Sequence[str]) -> list[ScoreSet]:
    """Every folder `<model>_<role>` below `root`, models by name, roles in the order given.

    Folders of other roles are left alone: they are of a dataset that is not configured any more.

    Raises:
        DataError: no folder, a role that a model was not scored on, or a folder that contradicts itself.
    """
    folders = [path.name for path in sorted(root.iterdir()) if path.is_dir()] if root.is_dir() else []
    found = [name.rpartition("_") for name in folders]
    models = sorted({model for model, _, role in found if model and role in roles})
    if not models:
        raise DataError(f"{root}: no folder <model>_<role> with a role of {', '.join(roles)}; run `dvc repro evaluate`")
    return [_load(root / f"{model}_{role}", model, role) for model in models for role in roles]


def select(scores: ScoreSet, condition: str, level: str, method: str = ALL_METHODS) -> Items:
    """What is ranked under a condition on a level, against the fakes of one method or of all."""
    items = scores.frames[condition]
    if level != FRAME:
        items = to_videos(items)
    if level == ALL_VIDEOS:
        items = with_faceless(items, scores.test_videos, scores.calibration.video_threshold)
    return items if method == ALL_METHODS else items.against_reals(method)


def frame_name(video: str, clip: int, frame: int) -> str:
    """What a frame is called among the items of a score set."""
    return f"{video}#{clip}#{frame}"


def _load(folder: Path, model: str, role: str) -> ScoreSet:
    videos = _rows(folder / "videos.csv", FaceVideo)
    known = {video.video: video for video in videos}
    if len(known) < len(videos):
        raise DataError(f"{folder / 'videos.csv'}: a video is listed twice")
    frames = _conditions(folder / "frames.csv", known)
    faceless = _conditions(folder / "faceless.csv", known)
    if len(faceless) != 1:
        raise DataError(f"{folder / 'faceless.csv'}: {len(faceless)} conditions, one would be right")
    return ScoreSet(
        model=model,
        role=role,
        videos=tuple(videos),
        frames=with_worst_case(_clean_first(folder / "frames.csv", frames, known)),
        faceless=next(iter(faceless.values())),
        calibration=_read_calibration(folder / "calibration.json"),
        eps_curve=_eps_curve(folder / "eps_curve.csv", known),
        perturbations=tuple(_rows(folder / "perturbations.csv", Perturbation)),
        checks=tuple(_rows(folder / "sanity.csv", SanityCheck)),
    )


def _clean_first(path: Path, frames: dict[str, Items], known: dict[str, FaceVideo]) -> dict[str, Items]:
    if CLEAN not in frames:
        raise DataError(f"{path}: no scores of the condition {CLEAN}")
    with_face = {name for name, video in known.items() if video.split == "test" and video.frames_found}
    unscored = with_face - {video.video for video in frames[CLEAN].videos}
    if unscored:
        raise DataError(f"{path}: no {CLEAN} scores of {min(unscored)}, in which a face was found")
    return {CLEAN: frames[CLEAN], **frames}


def _conditions(path: Path, known: dict[str, FaceVideo]) -> dict[str, Items]:
    """Test frames of a score table by condition."""
    return _items(path, known, FrameScore, key=lambda row: row.condition)


def _eps_curve(path: Path, known: dict[str, FaceVideo]) -> dict[str, dict[float, Items]]:
    """Test frames by attack and budget."""
    by_name = _items(path, known, EpsScore, key=lambda row: f"{row.attack} {row.eps}")
    parted = {name: name.rpartition(" ") for name in by_name}
    curves = {
        attack: {float(eps): by_name[name] for name, (own, _, eps) in parted.items() if own == attack}
        for attack in (PGD, WORST)
    }
    if curves[PGD].keys() != curves[WORST].keys():
        raise DataError(f"{path}: {PGD} and {WORST} have not the same budgets")
    return {attack: dict(sorted(budgets.items())) for attack, budgets in curves.items()}


def _items(
    path: Path, known: dict[str, FaceVideo], row_type: type[Scored], *, key: Callable[[Scored], str]
) -> dict[str, Items]:
    """Test frames of a table of logits, parted by what `key` says of a row."""
    rows: dict[str, list[Scored]] = {}
    for row in _rows(path, row_type):
        name = key(row)
        if row.video not in known or not known[row.video].frames_found:
            raise DataError(f"{path}: {row.video} has scores, but videos.csv knows of no face in it")
        if not math.isfinite(row.logit):
            raise DataError(f"{path}: {name}, {row.video}, frame {row.frame}: the logit is {row.logit}")
        rows.setdefault(name, []).append(row)
    return {name: _test_items(path, name, scored, known) for name, scored in rows.items()}


def _test_items(path: Path, condition: str, rows: Sequence[Scored], known: dict[str, FaceVideo]) -> Items:
    test_rows = (row for row in rows if known[row.video].split == "test")
    scored = sorted(test_rows, key=lambda row: (row.video, row.clip, row.frame))
    names = tuple(frame_name(row.video, row.clip, row.frame) for row in scored)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise DataError(f"{path}: {condition} scores {repeated[0]} twice")
    videos = tuple(known[row.video] for row in scored)
    if {video.label for video in videos} != {REAL, FAKE}:
        raise DataError(f"{path}: {condition} needs scores of real and of fake test videos, and has one class only")
    return Items(names, videos, np.array([row.logit for row in scored]))


def _rows(path: Path, row_type: type[Row]) -> list[Row]:
    if not path.is_file():
        raise DataError(f"{path}: no such table; run `dvc repro evaluate`, which writes it")
    return read_rows(path, row_type)


def _read_calibration(path: Path) -> Calibration:
    names = [field.name for field in fields(Calibration)]
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(**{name: float(values[name]) for name in names})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a calibration with {', '.join(names)}: {error}") from error
    if not all(map(math.isfinite, vars(calibration).values())) or calibration.temperature <= 0:
        raise DataError(f"{path}: {calibration} needs finite thresholds and a temperature above 0")
    return calibration
