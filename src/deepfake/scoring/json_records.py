"""Answers for programs: plain dicts with the keys that docs/scoring.md lists, and no NaN."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepfake.params import ClipParams
from deepfake.records import Kind
from deepfake.scoring.answers import FaceAnswer, FileAnswer
from deepfake.scoring.judging import CODECS, Judge, Reading
from deepfake.scoring.quality import person_colour, person_sharpness
from deepfake.scoring.telling import CAUTION

FORMAT = "deepfake-answers-1"


def report_record(
    models: Sequence[dict[str, Any]], plan: ClipParams, fitted: ClipParams, files: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The whole document: which models, which frames verdicts rest on, and every file."""
    planned = {"clips": plan.clips, "length": plan.length, "as_fitted": plan == fitted}
    return {"format": FORMAT, "models": list(models), "plan": planned, "files": list(files)}


def model_record(path: str, training: Mapping[str, Any], judge: Judge) -> dict[str, Any]:
    """The entry of a model."""
    return {
        "name": judge.name,
        "path": path,
        "training": {str(name): _plain(value) for name, value in training.items()},
        "caution": CAUTION,
        "video_threshold": judge.calibration.video_threshold,
        "frame_threshold": judge.calibration.frame_threshold,
        "temperature": judge.calibration.temperature,
    }


def file_record(answer: FileAnswer, judges: Sequence[Judge], picture: str | None) -> dict[str, Any]:
    """The entry of a file."""
    sight = answer.sight
    return {
        "file": str(answer.media.path),
        "kind": answer.media.kind,
        "outcome": answer.outcome,
        "reason": answer.reason or None,
        "frames": answer.verdict_frames,
        "frames_with_face": sight.frames_with_face if sight else 0,
        "faces": [_face(number, face, judges, answer.media.kind) for number, face in enumerate(answer.faces, start=1)],
        "picture": picture,
    }


def _face(number: int, face: FaceAnswer, judges: Sequence[Judge], kind: Kind) -> dict[str, Any]:
    return {
        "face": number,
        "verdict": face.verdict,
        "doubts": list(face.doubts),
        "side_px": round(face.person.side, 1),
        "sharpness": round(person_sharpness(face.person), 4),
        "colour": round(person_colour(face.person), 1),
        "frames_found": face.person.frames_found,
        "boxes": [
            {"frame": box.frame, "x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1} for box in face.person.boxes
        ],
        "models": [_opinion(face, judge, kind) for judge in judges],
    }


def _opinion(face: FaceAnswer, judge: Judge, kind: Kind) -> dict[str, Any]:
    opinion = face.opinions[judge.name]
    compressed = {codec: opinion.compressed.get(codec) for codec in CODECS}
    return {
        "name": judge.name,
        **_reading(opinion.clean),
        "threshold": judge.threshold(kind),
        "threshold_probability": round(judge.probability(judge.threshold(kind)), 6),
        "recompressed": {codec: _reading(reading) if reading else None for codec, reading in compressed.items()},
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {"logit": round(reading.logit, 6), "probability": round(reading.probability, 6), "fake": reading.fake}


def _plain(value: Any) -> Any:
    """A value that JSON knows: text for what it does not know, null for what is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)
