"""How much of an attack a codec leaves, how hard models were attacked, and what can be undone."""

import math
from pathlib import Path

import numpy as np
import pytest

from deepfake.errors import DataError
from deepfake.findings import UndoShare
from deepfake.params import Params
from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.protocol import suite_sentence
from deepfake.reporting.survival import shares_left
from deepfake.reporting.undo import undo_budgets, undo_rows
from deepfake.tables import write_rows


def rows_of(**aucs: float) -> dict[str, MetricRow]:
    return {
        name: MetricRow("robust", "train", "video", name, "all", 1, 1, 1, {"auc": Estimate(value)})
        for name, value in aucs.items()
    }


def test_the_share_left_is_the_loss_after_the_codec_over_the_loss_without_one() -> None:
    rows = rows_of(clean=0.9, jpeg50=0.8, unet=0.5, unet_jpeg50=0.7, pgd=0.1, pgd_jpeg50=0.8)
    assert shares_left(rows, "unet") == pytest.approx({"jpeg50": 0.1 / 0.4})
    assert shares_left(rows, "pgd") == pytest.approx({"jpeg50": 0})


def test_an_attack_that_knows_the_codec_is_told_relative_to_pgd() -> None:
    rows = rows_of(clean=0.9, jpeg50=0.8, h264_crf23=0.8, pgd=0.1, adaptive_jpeg50=0.2, adaptive_h264_crf23=0.4)
    left = shares_left(rows, "adaptive_jpeg50")
    assert left["jpeg50"] == pytest.approx(0.6 / 0.8)
    assert math.isnan(left["h264_crf23"]), "it does not know that one"


def test_what_was_not_scored_or_had_no_effect_has_no_share() -> None:
    rows = rows_of(clean=0.9, jpeg50=0.8, pgd=0.895, pgd_jpeg50=0.1, apgd=0.1, unet=0.2)
    assert [math.isnan(shares_left(rows, attack)["jpeg50"]) for attack in ("pgd", "apgd", "unet")] == [True] * 3


def test_both_classes_attacked_is_no_codec_that_follows() -> None:
    assert shares_left(rows_of(clean=0.9, jpeg50=0.8, pgd=0.1, pgd_both_jpeg50=0.3), "pgd") == {}


def test_the_suite_is_told_with_its_steps_and_without_what_is_left_out(params: Params) -> None:
    evaluate = params.evaluate.model_copy(update={"profile": "thorough"})
    assert suite_sentence(params.model_copy(update={"evaluate": evaluate})) == (
        "Attacks of the profile thorough: PGD (10 steps); on frames of fakes that still stand, APGD (100 steps, 2 "
        "starts), then strong PGD (50 steps, 5 starts), then Square (1000 queries); the fitted U-Net; adaptive PGD (50 "
        "steps more, through the codec that follows); at most 25 test videos of each class."
    )
    nothing = evaluate.quick.model_copy(update={"apgd_steps": 0, "adaptive_steps": 0})
    plain = params.evaluate.model_copy(update={"quick": nothing})
    assert suite_sentence(params.model_copy(update={"evaluate": plain})) == (
        "Attacks of the profile quick: PGD (10 steps); the fitted U-Net; all test videos."
    )


def test_undo_shares_are_averaged_by_method_and_budget(tmp_path: Path) -> None:
    shares = [("ffpp/A/1", 2, 0.1), ("ffpp/A/2", 2, 0.3), ("ffpp/A/1", 1, 0.0), ("ffpp/A/2", 1, 0.2),
              ("ffpp/B/1", 1, 0.5)]  # fmt: skip
    write_rows(tmp_path / "undo.csv", UndoShare, [UndoShare(*share) for share in shares])
    first, second = undo_rows(tmp_path / "undo.csv")
    assert (first.method, first.fakes, list(first.means)) == ("A", 2, [1, 2])
    assert list(first.means.values()) == pytest.approx([np.mean([0.0, 0.2]), np.mean([0.1, 0.3])])
    assert (second.method, second.fakes, dict(second.means)) == ("B", 1, {1: 0.5})
    assert undo_budgets([second, first]) == [1, 2]
    assert second.at(1) == 0.5
    assert math.isnan(second.at(2)), "a dash in its own column, where another method states it"


def test_a_dataset_that_states_nothing_has_no_rows_and_no_table_is_an_error(tmp_path: Path) -> None:
    write_rows(tmp_path / "undo.csv", UndoShare, [])
    assert undo_rows(tmp_path / "undo.csv") == []
    with pytest.raises(DataError, match="dvc repro"):
        undo_rows(tmp_path / "none.csv")
