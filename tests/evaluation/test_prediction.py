from pathlib import Path

import numpy as np
import pytest
import torch
from crop_folders import write_crop_folder
from torch import Tensor, nn

from deepfake.crops.shards import CropSet, open_crops
from deepfake.evaluation.conditions import CLEAN, attacked_conditions, compressed_conditions
from deepfake.evaluation.prediction import score_clips, whole_clips
from deepfake.params import EvaluateParams, SuiteParams
from deepfake.records import FrameScore

SUITE = SuiteParams(
    apgd_steps=1, apgd_restarts=1, pgd_steps=1, pgd_restarts=2, square_queries=0, adaptive_steps=1, videos=None
)
EVALUATE = EvaluateParams(
    batch_size=8, jpeg_quality=(90, 50), h264_crf=(23,), attacked_jpeg_quality=(50, 20), attacked_h264_crf=(30,),
    eps_curve=(0.01,), eps_frames=1, sanity_frames=2, real_clips=1, profile="quick", quick=SUITE, thorough=SUITE,
)  # fmt: skip


class Brightness(nn.Module):
    """Logit = mean brightness; dropout would show if it were not in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.dropout(x).mean(dim=(1, 2, 3))


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    return open_crops(write_crop_folder(tmp_path / "crops", {f"set/original/{n}": 3 for n in range(5)}, split="test"))


def score(crops: CropSet, batch_size: int = 4, workers: int = 2) -> list[FrameScore]:
    batches = score_clips(
        Brightness(), crops.clips(), whole_clips(crops), condition="jpeg50", batch_size=batch_size, workers=workers
    )
    return [score for batch in batches for score in batch]


def test_every_crop_gets_the_score_of_its_own_pixels(crops: CropSet) -> None:
    scores = score(crops)
    assert [(s.video, s.clip, s.frame) for s in scores] == [(r.video, r.clip, r.frame) for r in crops.rows]
    for s, row in zip(scores, crops.rows, strict=True):
        assert s.logit == pytest.approx(crops.pixels(row).mean() / 255, abs=1e-5)


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (7, 3), (100, 2)])
def test_batches_and_threads_change_nothing(crops: CropSet, batch_size: int, workers: int) -> None:
    expected, found = score(crops), score(crops, batch_size, workers)
    assert [s.logit for s in found] == pytest.approx([s.logit for s in expected], abs=1e-5)


def test_scores_take_the_name_of_their_condition(crops: CropSet) -> None:
    assert {s.condition for s in score(crops)} == {"jpeg50"}


def test_conditions_stand_in_order_and_video_codecs_need_video() -> None:
    pictures, videos = ["clean", "jpeg90", "jpeg50", "jpeg20"], ["h264_crf23", "h264_crf30"]
    assert [c.name for c in compressed_conditions(EVALUATE, with_video=True)] == pictures + videos
    assert [c.name for c in compressed_conditions(EVALUATE, with_video=False)] == pictures
    assert [c.name for c in attacked_conditions(EVALUATE, with_video=True)] == [
        "clean", "jpeg50", "jpeg20", "h264_crf30"
    ]  # fmt: skip
    assert [c.after("pgd") for c in attacked_conditions(EVALUATE, with_video=False)] == [
        "pgd", "pgd_jpeg50", "pgd_jpeg20"
    ]  # fmt: skip


def test_every_condition_keeps_the_shape_of_a_clip_and_only_clean_its_pixels() -> None:
    clip = [np.random.default_rng(n).integers(0, 256, (32, 32, 3), dtype=np.uint8) for n in range(3)]
    for condition in compressed_conditions(EVALUATE, with_video=True):
        changed = condition.corrupt(clip)
        assert np.shape(changed) == np.shape(clip)
        assert np.array_equal(changed, clip) == (condition is CLEAN)
