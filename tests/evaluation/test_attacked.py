"""Attacked evaluation: one attack, every codec, whole tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from crop_folders import face_video, write_crop_folder
from torch import Tensor, nn
from toy_detectors import EPS, Small, train_small

from deepfake.attacks.ball import to_uint8
from deepfake.attacks.pgd import PGD
from deepfake.corruptions.h264 import h264
from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.batches import to_unit
from deepfake.crops.choosing import evenly, few_per_video
from deepfake.crops.shards import CropSet, open_crops
from deepfake.evaluation.attacked import Attacked, Threat, both_classes, few_clips, score_attacked
from deepfake.evaluation.budgets import AtBudget, score_eps_curve
from deepfake.evaluation.conditions import CLEAN, Condition, attacked_conditions
from deepfake.evaluation.prediction import score_clips, score_crops, whole_clips
from deepfake.evaluation.suite import score_both_classes
from deepfake.evaluation.target import Target
from deepfake.params import EvaluateParams, SuiteParams
from deepfake.records import REAL, CropRow, FrameScore
from deepfake.runtime import derive_seed

SUITE = SuiteParams(
    apgd_steps=3, apgd_restarts=1, pgd_steps=3, pgd_restarts=2, square_queries=5, adaptive_steps=3, videos=None
)
EVALUATE = EvaluateParams(
    batch_size=6, jpeg_quality=(), h264_crf=(), attacked_jpeg_quality=(50,), attacked_h264_crf=(30,), eps_curve=(0.01,),
    eps_frames=1, sanity_frames=2, real_clips=1, profile="quick", quick=SUITE, thorough=SUITE,
)  # fmt: skip
CODECS = attacked_conditions(EVALUATE, with_video=True)


class Counting:
    """PGD that counts the crops it was asked for."""

    def __init__(self) -> None:
        self.crops = 0

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        self.crops += len(x)
        return PGD(EPS, steps=3)(model, x, y, seeds)


@pytest.fixture(scope="module")
def model() -> Small:
    return train_small()


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    videos = {f"set/{method}/{n}": 4 for method in ("original", "A") for n in range(3)}
    return open_crops(write_crop_folder(tmp_path / "crops", videos, split="test", size=32))


def attack(model: nn.Module, crops: CropSet, attack: Counting, batch_size: int = 6) -> list[Attacked]:
    threat = Threat("pgd", attack, EPS, seed=1)
    return list(score_attacked(model, crops, threat, CODECS, batch_size=batch_size, workers=2))


def test_each_crop_is_attacked_once_and_every_codec_sees_the_result(model: Small, crops: CropSet) -> None:
    counting = Counting()
    done = attack(model, crops, counting)
    assert counting.crops == len(crops.rows)
    scores = [score for part in done for score in part.scores]
    assert {score.condition for score in scores} == {"pgd", "pgd_jpeg50", "pgd_h264_crf30"}
    rows = crops.clips()[-1]
    pixels = np.stack([crops.pixels(row) for row in rows])
    x = to_unit(pixels, torch.device("cpu"))
    seeds = [derive_seed(1, row.video, row.frame) for row in rows]
    adversarial = to_uint8(PGD(EPS, steps=3)(model, x, torch.ones(len(rows)), seeds), x)
    by_hand = {
        "pgd": adversarial,
        "pgd_jpeg50": np.stack([jpeg(frame, quality=50) for frame in adversarial]),
        "pgd_h264_crf30": np.stack(h264(list(adversarial), crf=30)),
    }
    for condition, seen in by_hand.items():
        expected = [score.logit for score in score_crops(model, rows, seen, condition=condition)]
        found = [s.logit for s in scores if s.condition == condition and s.video == rows[0].video]
        assert found == pytest.approx(expected, abs=0.05), "batches of other sizes round differently"


def test_what_is_scored_stays_in_the_ball(model: Small, crops: CropSet) -> None:
    perturbations = [row for part in attack(model, crops, Counting()) for row in part.perturbations]
    assert {row.video for row in perturbations} == {f"set/A/{n}" for n in range(3)}, "fakes, each once"
    assert len(perturbations) == 12
    assert all(EPS * 0.99 <= row.linf <= EPS + 1e-6 for row in perturbations)
    assert all(28 < row.psnr < 45 for row in perturbations)


def test_evasion_keeps_reals_clean_and_both_attacks_them_too(model: Small, crops: CropSet) -> None:
    batches = score_clips(model, crops.clips(), whole_clips(crops), condition="clean", batch_size=9, workers=1)
    clean = [score for batch in batches for score in batch]
    target = Target(model, crops, {"clean": clean}, batch_size=6, workers=2)
    table = score_both_classes(target, Threat("pgd", Counting(), EPS, seed=1), [CLEAN], real_clips=1).scores
    by_condition = {name: {(s.video, s.frame): s.logit for s in table if s.condition == name} for name in
                    {s.condition for s in table}}  # fmt: skip
    assert by_condition.keys() == {"pgd", "pgd_both"}
    for logits in by_condition.values():
        assert logits.keys() == {(row.video, row.frame) for row in crops.rows}
    for score in clean:
        evasion, both = (by_condition[name][score.video, score.frame] for name in ("pgd", "pgd_both"))
        if "original" in score.video:
            assert evasion == score.logit
            assert both > score.logit
        else:
            assert evasion == both < score.logit


def test_the_codec_stays_in_the_name_of_both() -> None:
    scores = [FrameScore(name, "set/A/1", 0, 0, 1.0) for name in ("pgd_h264_crf23", "pgd")]
    assert [score.condition for score in both_classes(scores)] == ["pgd_both_h264_crf23", "pgd_both"]


def test_the_eps_curve_attacks_few_frames_at_new_budgets_only(model: Small, crops: CropSet) -> None:
    few = few_per_video(crops, 1)
    assert len(few.rows) == 6
    clean, attacked = _scores("clean", crops, 0.0), _scores("pgd", crops, 9.0)
    counting = Counting()
    curve = score_eps_curve(
        Target(model, crops, {"clean": clean}, batch_size=4, workers=1), few,
        {0.0: AtBudget(clean, clean), EPS: AtBudget(attacked, attacked)},
        {EPS / 2: [Threat("pgd", counting, EPS / 2, seed=1)]},
    )  # fmt: skip
    assert counting.crops == 3, "one frame of each fake"
    for name in ("pgd", "worst"):
        assert [s.eps for s in curve if s.attack == name] == [0.0] * 6 + [EPS / 2] * 6 + [EPS] * 6
    reals = [score for score in curve if "original" in score.video]
    assert {score.logit for score in reals if score.eps < EPS} == {0.0}


def test_few_clips_are_the_first_and_whole_and_of_one_class_only() -> None:
    rows = [CropRow(f"set/{method}/1", clip, frame, 0, 0, 0, 0, 1, 1)
            for method in ("original", "A") for clip in (0, 1) for frame in (2 * clip, 2 * clip + 1)]  # fmt: skip
    videos = {row.video: face_video(row.video) for row in rows}
    few = few_clips(CropSet(videos, rows, {}), REAL, 1)
    assert [(row.video, row.frame) for row in few.rows if "original" in row.video] == [
        ("set/original/1", 0), ("set/original/1", 1)
    ]  # fmt: skip
    assert len([row for row in few.rows if "/A/" in row.video]) == 4


def test_rows_are_picked_evenly() -> None:
    assert evenly(list(range(10)), 2) == [2, 7]  # type: ignore[arg-type]
    assert evenly(list(range(3)), 5) == [0, 1, 2]  # type: ignore[arg-type]


def test_clean_is_the_only_codec_without_a_name() -> None:
    assert CLEAN.after("unet") == "unet"
    assert Condition("jpeg50", lambda clip: clip).after("unet") == "unet_jpeg50"


def _scores(condition: str, crops: CropSet, logit: float) -> list[FrameScore]:
    return [FrameScore(condition, row.video, row.clip, row.frame, logit) for row in crops.rows]
