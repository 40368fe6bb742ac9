"""Made-up score folders, explanations and training curves, as the stages would leave them."""

import csv
import json
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from deepfake.findings import EpsScore, Explanation, Perturbation, SanityCheck, UndoShare
from deepfake.metrics.calibration import fit_temperature
from deepfake.metrics.operating_point import TARGET_FPR, threshold_at_fpr
from deepfake.records import Calibration, FaceVideo, FrameScore
from deepfake.tables import read_rows, write_rows

DAMAGE = {
    "clean": 1.0,
    "jpeg90": 0.98,
    "jpeg70": 0.9,
    "jpeg50": 0.8,
    "jpeg30": 0.6,
    "h264_crf23": 0.75,
    "h264_crf40": 0.35,
}
ATTACKED_CODECS = ("", "jpeg50", "h264_crf23")
SKILL = {"Deepfakes": 6.0, "Face2Face": 4.5, "FaceSwap": 7.0, "NeuralTextures": 3.0, "Celeb-synthesis": 2.0}
STRENGTH = {  # how far an attack pushes a logit that no codec dampens
    "baseline": {"pgd": 14.0, "apgd": 14.5, "unet": 6.0, "adaptive": 9.0},
    "longer": {"pgd": 8.0, "apgd": 8.5, "unet": 2.0, "adaptive": 6.0},
    "robust": {"pgd": 3.0, "apgd": 3.5, "unet": 1.5, "adaptive": 2.5},
}
BUDGETS = (0.0, *(levels / 255 for levels in (1, 2, 4, 8)))
EXPLAINED = ("clean", "pgd", "unet", "jpeg50", "unet_jpeg50")
TONES, LIGHTS = ("I-II", "III-IV", "V-VI"), ("side", "front", "dim")
FRAMES = 4


@dataclass
class Story:
    """A video, and how far its frames' logits lie from 0 when nothing damages them."""

    video: FaceVideo
    logit: float

    @property
    def frames(self) -> list[tuple[int, int]]:
        """Clip and frame number of every scored frame."""
        return [(frame // 2, 10 * (frame // 2) + frame % 2) for frame in range(self.video.frames_found)]


def conditions() -> list[str]:
    """All conditions that evaluation writes, in its order."""
    attacks = [f"{attack}{both}" for both in ("", "_both") for attack in ("pgd", "unet")]
    followed = [f"{attack}_{codec}" for attack in [*attacks, "adaptive"] for codec in ATTACKED_CODECS if codec]
    return [*DAMAGE, *attacks, "apgd", *followed]


def write_score_folders(root: Path, model: str, *, skill: float) -> None:
    """Folders `<model>_train` and `<model>_cross`; the fakes' logits are proportional to `skill`."""
    videos = np.random.default_rng(7)  # the same for every model
    train, cross = list(ffpp_stories(videos, skill)), list(celebdf_stories(videos, skill))
    generator = np.random.default_rng([7, len(model)])
    frames = {"train": score(train, generator), "cross": score(cross, generator)}
    calibration = calibrate(train, frames["train"])
    blinded = np.random.default_rng(8)
    for role, stories in (("train", train), ("cross", cross)):
        folder = root / f"{model}_{role}"
        attacked = attack(stories, frames[role], STRENGTH[model], generator)
        write_rows(folder / "videos.csv", FaceVideo, [story.video for story in stories])
        write_rows(folder / "frames.csv", FrameScore, [*frames[role], *attacked])
        write_rows(folder / "faceless.csv", FrameScore, blind(stories, blinded))
        write_rows(folder / "eps_curve.csv", EpsScore, eps_curve(stories, STRENGTH[model], generator))
        write_rows(folder / "perturbations.csv", Perturbation, perturbations(stories, generator))
        write_rows(folder / "sanity.csv", SanityCheck, checks(model))
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
    """Every frame under every codec; damage pulls logits together and adds noise."""
    rows = []
    for condition, kept in DAMAGE.items():
        for told in stories:
            drift = generator.normal(scale=1 - kept)
            noise = generator.normal(scale=0.8, size=len(told.frames))
            logits = told.logit * kept + drift + noise
            rows += frame_rows(condition, told, logits)
    return rows


def attack(
    stories: list[Story], plain: list[FrameScore], strength: dict[str, float], generator: np.random.Generator
) -> list[FrameScore]:
    """Test frames under every attack and what follows it; a codec undoes a part of the attack."""
    test = {told.video.video: told.video.label for told in stories if told.video.split == "test"}
    rows = []
    for condition in conditions()[len(DAMAGE) :]:
        name, _, codec = condition.replace("_both", "").partition("_")
        kept = strength[name] * (DAMAGE[codec] - 0.2 if codec else 1.0)
        for row in plain:
            if row.condition == (codec or "clean") and row.video in test:
                moved = test[row.video] or "_both" in condition
                push = kept * (1 - 2 * test[row.video]) * (1 + generator.normal(scale=0.2)) if moved else 0.0
                rows.append(FrameScore(condition, row.video, row.clip, row.frame, row.logit + float(push)))
    return rows


def frame_rows(condition: str, told: Story, logits: np.ndarray) -> list[FrameScore]:
    return [
        FrameScore(condition, told.video.video, clip, frame, float(logit))
        for (clip, frame), logit in zip(told.frames, logits, strict=True)
    ]


def blind(stories: list[Story], generator: np.random.Generator) -> list[FrameScore]:
    return [
        row
        for told in stories
        for row in frame_rows("face_masked", told, generator.normal(size=len(told.frames)) + generator.normal())
    ]


def eps_curve(stories: list[Story], strength: dict[str, float], generator: np.random.Generator) -> list[EpsScore]:
    """One frame of every test video under PGD and in the worst case at every budget."""
    tested = [told for told in stories if told.video.split == "test" and told.frames]
    starts = [told.logit + generator.normal(scale=0.8) for told in tested]
    return [
        EpsScore(eps, name, told.video.video, *told.frames[0], start - told.video.label * push * eps * 255 / 8)
        for eps in BUDGETS
        for name, push in (("pgd", strength["pgd"]), ("worst", strength["apgd"]))
        for told, start in zip(tested, starts, strict=True)
    ]


def perturbations(stories: list[Story], generator: np.random.Generator) -> list[Perturbation]:
    fakes = [told for told in stories if told.video.split == "test" and told.video.label]
    sizes = {
        "pgd": (32.6, 0.83, 0.9, 0.12),
        "unet": (31.4, 0.9, 0.35, 0.55),
        "adaptive_jpeg50": (32.0, 0.85, 0.7, 0.3),
    }
    return [
        Perturbation(
            name, told.video.video, *frame, 8 / 255, 3.0, *(size * (1 + 0.02 * generator.normal()) for size in middle)
        )
        for name, middle in sizes.items()
        for told in fakes
        for frame in told.frames
    ]


def checks(model: str) -> list[SanityCheck]:
    robust = model == "robust"
    values = {
        "zero_budget_changes": (0.0, 0.0),
        "forward_differs": (0.0, 0.0),
        "zero_gradients": (0.03125 if robust else 0.0, 0.01),
        "auc_at_32_255": (0.0, 0.05),
        "auc_rises_with_eps": (-0.02, 0.01),
        "more_steps_help": (0.004 if robust else 0.0, 0.01),
        "single_step_wins": (0.0, 0.01),
        "noise_wins": (0.0, 0.01),
        "transfer_wins": (0.0, 0.01),
    } | ({} if robust else {"undefended_auc": (0.0, 0.02)})
    return [SanityCheck(name, value, limit, int(value > limit)) for name, (value, limit) in values.items()]


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


def write_explanations(root: Path, scores: Path, *, masks: bool = True) -> None:
    """`<role>/faces.csv` of both models, on fakes that were scored; for every role that was. Undo shares: train."""
    generator = np.random.default_rng(9)
    for role in [folder.name.partition("_")[2] for folder in scores.glob("baseline_*")]:
        videos = read_rows(scores / f"baseline_{role}" / "videos.csv", FaceVideo)
        fakes = [video.video for video in videos if video.label and video.split == "test" and video.frames_found]
        rows = [
            Explanation(
                model=model,
                role=role,
                condition=condition,
                video=video,
                frame=0,
                logit=float(generator.normal()),
                faithfulness=float(generator.normal(1.2 if model == "robust" else 0.8, 0.5)),
                breadth=float(generator.uniform(0.2, 0.6)),
                overlap=float(generator.normal(1.6, 0.3)) if masks else float("nan"),
                stability=1.0 if condition == "clean" else float(generator.uniform(0.2, 0.9)),
            )
            for model in ("baseline", "robust")
            for condition in EXPLAINED
            for video in fakes[:: max(1, len(fakes) // 24)]
        ]
        write_rows(root / role / "faces.csv", Explanation, rows)
        stated = fakes if role == "train" else []
        undo = [UndoShare(video, eps, 0.05 * eps) for video in stated for eps in (1, 2, 4, 8)]
        write_rows(root / role / "undo.csv", UndoShare, undo)


def write_models(root: Path) -> None:
    """Files in the place of detectors; the report only tells their hashes."""
    root.mkdir()
    for model in STRENGTH:
        (root / f"{model}.pt").write_bytes(model.encode())


def write_panels(root: Path, *, width: int = 32, height: int = 16) -> None:
    """A few grey pictures for each role."""
    for role, methods in (("train", sorted(SKILL)[1:]), ("cross", ["Celeb-synthesis"])):
        (root / role).mkdir(parents=True)
        names = [f"{number:02d}_{method}" for number, method in enumerate(methods, start=1)]
        for name in [*names, "perturbations"]:
            (root / role / f"{name}.png").write_bytes(png(width, height))


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress((b"\0" + b"\xaa" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def write_trainings(root: Path) -> None:
    """Training curves of models and attackers, as dvclive writes them."""
    fall, rise = np.exp(-np.arange(12) / 4), 1 - np.exp(-np.arange(12) / 4)
    validation = {"val/auc": 0.6 + 0.35 * rise, "val/loss": 0.2 + 0.4 * fall}
    watched = validation | {"val/inner_auc": 0.5 * rise, "val/watch_auc": 0.4 * rise, "val/unet_auc": 0.6 * rise}
    adversaries = {"train/pgd": 1 + fall, "train/unet": 0.8 + fall, "train/eps": np.minimum(1, rise) * 8 / 255}
    shape = {"train/total_variation": 0.4 + 0.2 * fall, "train/frequency": 0.3 + 0.3 * fall}
    clean = {"train/clean": 0.1 + 0.6 * fall}
    fitted = {"train/attack": -rise * 9, "val/auc": 0.9 * fall} | shape
    write_training(root / "baseline", clean | validation)
    write_training(root / "robust", clean | adversaries | shape | watched)
    write_training(root / "longer", clean | validation | {"val/watch_auc": 0.01 * rise})
    write_training(root / "attacker_baseline", fitted)
    write_training(root / "attacker_longer", fitted)
    write_training(root / "attacker_robust", fitted)


def write_training(folder: Path, curves: dict[str, np.ndarray]) -> None:
    for name, values in curves.items():
        path = folder / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{step}\t{value}" for step, value in enumerate(values)]
        path.write_text("\n".join([f"step\t{path.stem}", *lines, ""]), encoding="utf-8")


def keep_lines(path: Path, pattern: str) -> None:
    """Drop the lines of a table that do not match."""
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(row for row in rows if re.match(pattern, row)), ""]))


def rename_in_tables(paths: Iterable[Path], names: Sequence[str], new: str) -> None:
    """Put another name in the place of some in every cell."""
    for path in paths:
        with path.open() as file:
            rows = list(csv.reader(file))
        for name in names:
            rows = [[cell.replace(name, new) for cell in row] for row in rows]
        with path.open("w") as file:
            csv.writer(file).writerows(rows)
