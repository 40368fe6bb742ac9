"""Synthetic score folders, as evaluation would leave them: known skill, known damage, known coverage."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest

from deepfake.metrics.calibration import fit_temperature
from deepfake.metrics.operating_point import TARGET_FPR, threshold_at_fpr
from deepfake.params import Params, load_params
from deepfake.records import Calibration, FaceVideo, FrameScore
from deepfake.reporting.matrix import MetricRow, build_matrix
from deepfake.reporting.scores import ScoreSet, load_score_sets
from deepfake.tables import write_rows

ROOT = Path(__file__).resolve().parents[2]
DAMAGE = {
    "clean": 1.0,
    "jpeg90": 0.98,
    "jpeg70": 0.9,
    "jpeg50": 0.8,
    "jpeg30": 0.6,
    "h264_crf23": 0.75,
    "h264_crf40": 0.35,
}
SKILL = {"Deepfakes": 6.0, "Face2Face": 4.5, "FaceSwap": 7.0, "NeuralTextures": 3.0, "Celeb-synthesis": 2.0}
TONES, LIGHTS = ("I-II", "III-IV", "V-VI"), ("side", "front", "dim")
FRAMES = 8


@dataclass
class Story:
    """A video, and how far its frames' logits lie from 0 when nothing damages them."""

    video: FaceVideo
    logit: float


@pytest.fixture(scope="session")
def score_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Score folders of one model on both roles."""
    root = tmp_path_factory.mktemp("scores")
    write_score_folders(root, "baseline", skill=1.0)
    return root


@pytest.fixture
def editable_scores(score_root: Path, tmp_path: Path) -> Path:
    """A copy of the score folders to damage."""
    return Path(shutil.copytree(score_root, tmp_path / "scores"))


@pytest.fixture(scope="session")
def score_sets(score_root: Path) -> list[ScoreSet]:
    return load_score_sets(score_root, ("train", "cross"))


@pytest.fixture(scope="session")
def params() -> Params:
    """The shipped parameters, with fewer resamples."""
    shipped = load_params(ROOT / "params.yaml")
    return shipped.model_copy(update={"report": shipped.report.model_copy(update={"resamples": 200})})


@pytest.fixture(scope="session")
def rows(score_sets: list[ScoreSet], params: Params) -> list[MetricRow]:
    return build_matrix(score_sets, params.report, params.seed)


@pytest.fixture(scope="session")
def curve_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training curves as dvclive writes them."""
    root = tmp_path_factory.mktemp("curves")
    write_curves(root / "baseline")
    return root


def write_score_folders(root: Path, model: str, *, skill: float) -> None:
    """Folders `<model>_train` and `<model>_cross`; the fakes' logits are proportional to `skill`."""
    generator = np.random.default_rng(7)
    train, cross = list(ffpp_stories(generator, skill)), list(celebdf_stories(generator, skill))
    frames = {"train": score(train, generator), "cross": score(cross, generator)}
    calibration = calibrate(train, frames["train"])
    for role, stories in (("train", train), ("cross", cross)):
        folder = root / f"{model}_{role}"
        write_rows(folder / "videos.csv", FaceVideo, [story.video for story in stories])
        write_rows(folder / "frames.csv", FrameScore, frames[role])
        write_rows(folder / "control.csv", FrameScore, blind(stories, generator))
        (folder / "calibration.json").write_text(json.dumps(asdict(calibration)), encoding="utf-8")


def ffpp_stories(generator: np.random.Generator, skill: float) -> Iterator[Story]:
    for pair in range(42):
        split, cluster = ("val", "test")[pair < 26], f"ffpp-{pair:02d}"
        for person in (2 * pair, 2 * pair + 1):
            other = person ^ 1
            yield story(generator, f"ffpp/youtube/{person:03d}", 0, split, cluster, -3.0)
            for method in generator.choice(sorted(SKILL)[1:], size=2, replace=False):
                name = f"ffpp/{method}/{person:03d}_{other:03d}"
                yield story(generator, name, 1, split, cluster, SKILL[method] * skill - 3.0)


def celebdf_stories(generator: np.random.Generator, skill: float) -> Iterator[Story]:
    for person in range(50):
        name = f"id{person}_0000"
        yield story(generator, f"celebdf/Celeb-real/{name}", 0, "test", f"celebdf-{person // 2}", -2.5)
        fake = f"celebdf/Celeb-synthesis/id{person}_id{person ^ 1}_0000"
        lift = SKILL["Celeb-synthesis"] * skill - 2.0
        yield story(generator, fake, 1, "test", f"celebdf-{person // 2}", lift, missing=person in (4, 9))
    for number in range(20):
        missing = number == 3
        yield story(generator, f"celebdf/YouTube-real/{number:05d}", 0, "test", f"youtube-{number}", -2.5, missing)


def story(
    generator: np.random.Generator,
    name: str,
    label: int,
    split: str,
    cluster: str,
    logit: float,
    missing: bool = False,
) -> Story:
    video = FaceVideo(
        video=name,
        path=f"{name}.mp4",
        kind="video",
        label=label,
        split=split,
        cluster=cluster,
        skin_tone=str(generator.choice(TONES)),
        light=str(generator.choice(LIGHTS)),
        size_bytes=int(generator.normal(40_000, 6_000)),
        frames_wanted=FRAMES,
        frames_found=0 if missing else FRAMES,
        reason="no face found" if missing else "",
    )
    return Story(video, logit + float(generator.normal(scale=1.2)))


def score(stories: list[Story], generator: np.random.Generator) -> list[FrameScore]:
    """Every frame under every condition; damage pulls logits together and adds noise."""
    rows = []
    for condition, kept in DAMAGE.items():
        for told in stories:
            drift = generator.normal(scale=1 - kept)
            noise = generator.normal(scale=0.8, size=told.video.frames_found)
            rows += [
                FrameScore(condition, told.video.video, frame // 4, 10 * (frame // 4) + frame % 4, float(logit))
                for frame, logit in enumerate(told.logit * kept + drift + noise)
            ]
    return rows


def blind(stories: list[Story], generator: np.random.Generator) -> list[FrameScore]:
    return [
        FrameScore("face_masked", told.video.video, frame // 4, 10 * (frame // 4) + frame % 4, float(logit))
        for told in stories
        for frame, logit in enumerate(generator.normal(size=told.video.frames_found) + generator.normal())
    ]


def calibrate(stories: list[Story], rows: list[FrameScore]) -> Calibration:
    videos = {told.video.video: told.video for told in stories if told.video.split == "val"}
    clean = [row for row in rows if row.condition == "clean" and row.video in videos]
    by_video = {name: np.mean([row.logit for row in clean if row.video == name]) for name in videos}
    real_frames = [row.logit for row in clean if videos[row.video].label == 0]
    real_videos = [mean for name, mean in by_video.items() if videos[name].label == 0]
    labels = [videos[row.video].label for row in clean]
    return Calibration(
        frame_threshold=threshold_at_fpr(real_frames, TARGET_FPR),
        video_threshold=threshold_at_fpr(real_videos, TARGET_FPR),
        temperature=fit_temperature([row.logit for row in clean], labels),
    )


def write_curves(folder: Path) -> None:
    steps = np.arange(12)
    curves = {
        "train/loss": 0.7 * np.exp(-steps / 4) + 0.1,
        "train/learning_rate": 1e-3 * np.sin(np.pi * (steps + 1) / 13),
        "val/loss": 0.6 * np.exp(-steps / 5) + 0.2,
        "val/auc": 1 - 0.4 * np.exp(-steps / 3),
    }
    for name, values in curves.items():
        path = folder / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{step}\t{value}" for step, value in zip(steps, values, strict=True)]
        path.write_text("\n".join([f"step\t{path.stem}", *lines, ""]), encoding="utf-8")
