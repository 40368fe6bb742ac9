"""Which epoch is kept."""

from pathlib import Path

import pytest
import torch
from crop_folders import face_video, write_crop_folder
from toy_detectors import EPS, train_small

from deepfake.attacks.pgd import PGD
from deepfake.crops.shards import open_crops
from deepfake.records import FrameScore
from deepfake.training.selection import calibrate, halve, robust_rank
from deepfake.training.watching import Slice, cut_slice


def epoch(auc: float, watch: float, unet: float = 0.5) -> dict[str, float]:
    return {"val/auc": auc, "val/watch_auc": watch, "val/unet_auc": unet}


def test_both_halves_have_what_two_people_have_and_the_first_has_all() -> None:
    def split(*labels: str) -> tuple[list[str], list[str]]:
        """Videos of people that are described by the labels of their videos."""
        videos = {
            f"{name}{number}": face_video(f"d/{'original' if label == 'r' else 'swap'}/{name}{number}", cluster=name)
            for name, own in zip("abcdefgh", labels, strict=False)
            for number, label in enumerate(own)
        }
        first, second = halve(videos)
        return sorted(first), sorted(second)

    assert split("rf", "rf", "rf") == (["a0", "a1", "c0", "c1"], ["b0", "b1"])
    assert split("f", "r", "f", "r") == (["a0", "b0"], ["c0", "d0"]), "names take turns, and so may the labels"
    assert split("f", "r", "f") == (["a0", "b0"], ["a0", "b0", "c0"]), "nobody is left to calibrate on reals"
    assert split("rf") == (["a0", "a1"], ["a0", "a1"])


def test_a_video_without_a_crop_decides_nothing(tmp_path: Path) -> None:
    """Else a half could have a class in name only, and training would end without a threshold."""
    videos = {"d/original/a": 0, "d/original/b": 4, "d/original/c": 0, "d/swap/d": 4, "d/swap/e": 4}
    crops = open_crops(write_crop_folder(tmp_path / "crops", videos, split="val"))
    pick, _ = halve(crops.seen)
    assert set(pick) == {"d/original/b", "d/swap/d"}
    cut_slice(crops, pick, 4, seed=1, device=torch.device("cpu"))
    scores = [FrameScore("clean", row.video, row.clip, row.frame, 2.0 * crops.label(row) - 1) for row in crops.rows]
    assert calibrate(scores, crops.videos).video_threshold == pytest.approx(-1, abs=1e-3)


def test_the_best_attacked_epoch_wins_among_those_that_are_clean_enough() -> None:
    rank = robust_rank(0.92)
    assert rank(epoch(0.93, 0.4)) > rank(epoch(0.99, 0.3))
    assert rank(epoch(0.93, 0.4)) > rank(epoch(0.87, 0.6)), "not clean enough"
    assert rank(epoch(0.93, 0.4, 0.6)) == rank(epoch(0.93, 0.4, 0.5)), "the U-Net is another one in every epoch"
    assert rank(epoch(0.95, 0.4)) > rank(epoch(0.93, 0.4)), "a tie goes to the cleaner"


def test_one_video_too_few_does_not_throw_a_robust_epoch_away() -> None:
    rank = robust_rank(0.952)
    assert rank(epoch(0.950, 0.3, 0.7)) > rank(epoch(0.979, 0.0, 0.5))
    assert rank(epoch(0.952, 0.3, 0.7)) > rank(epoch(0.950, 0.3, 0.7))


def test_collapse_does_not_win() -> None:
    """A constant scores .5 under any attack."""
    rank = robust_rank(0.92)
    assert rank(epoch(0.93, 0.1)) > rank(epoch(0.5, 0.5))
    assert rank(epoch(0.90, 0.0)) > rank(epoch(0.5, 0.5)), "nor where no epoch is clean enough"


def test_a_control_without_adversaries_can_be_ranked() -> None:
    assert robust_rank(0.9)({"val/auc": 0.95, "val/watch_auc": 0.0}) == (0.0, 0.95)


def test_evasion_attacks_fakes_only() -> None:
    model = train_small()
    reals, fakes = torch.rand(5, 3, 16, 16), torch.rand(6, 3, 16, 16)
    evasion = Slice(reals, fakes, range(6)).evasion(model, PGD(EPS))
    with torch.no_grad():
        assert torch.allclose(torch.tensor(evasion.reals), model(reals), atol=1e-5)
        assert (torch.tensor(evasion.fakes) < model(fakes)).all()
    assert 0 <= evasion.auc <= 1
