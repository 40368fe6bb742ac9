"""The model card says what the scores say, and what the detectors are not for."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake.params import Params
from deepfake.reporting.model_card import write_model_card
from deepfake.reporting.results import Results, compute_results
from deepfake.reporting.scores import ScoreSet


@pytest.fixture(scope="module")
def results(score_sets: list[ScoreSet], params: Params) -> Results:
    return compute_results(score_sets, params.report, params.seed)


def card_of(results: Results, params: Params, folder: Path) -> str:
    write_model_card(folder / "card.md", params, results)
    return (folder / "card.md").read_text()


def test_its_numbers_are_those_of_the_matrix(results: Results, params: Params, tmp_path: Path) -> None:
    card = card_of(results, params, tmp_path)
    rows = {row.model: row for row in results.rows if (row.role, row.level, row.method) == ("train", "video", "all")
            and row.condition == "unet_jpeg50"}  # fmt: skip
    line = next(line for line in card.splitlines() if line.startswith("| U-Net, then JPEG quality 50 |"))
    shown = re.findall(r"\d\.\d{3}(?= \()", line)
    assert shown == [f"{rows[model].estimates['auc'].value:.3f}" for model in ("baseline", "robust")]
    assert f"{params.robust.epochs * params.robust.steps} further steps" in card
    assert "skin tone: " in card


def test_every_table_has_as_many_cells_in_each_line(results: Results, params: Params, tmp_path: Path) -> None:
    blocks = card_of(results, params, tmp_path).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) >= 6
    for table in tables:
        assert len({line.count("|") for line in table}) == 1, table


def test_detectors_of_rendered_faces_are_not_for_real_ones(results: Results, params: Params, tmp_path: Path) -> None:
    assert "must not be used to judge real pictures" in card_of(results, params, tmp_path)
    root = {"root": "/data/FaceForensics++"}
    real = params.datasets.model_copy(update={"train": params.datasets.train.model_copy(update=root)})
    card = card_of(results, params.model_copy(update={"datasets": real}), tmp_path)
    assert "must not be used to judge real pictures" not in card
    assert "rendered people" not in card


def test_one_model_is_enough(score_sets: list[ScoreSet], params: Params, tmp_path: Path) -> None:
    only = [scores for scores in score_sets if scores.model == "baseline"]
    assert "robust AUC" not in card_of(compute_results(only, params.report, params.seed), params, tmp_path)


def test_what_one_model_alone_was_scored_under_has_a_dash(
    score_sets: list[ScoreSet], params: Params, tmp_path: Path
) -> None:
    def without_jpeg(scores: ScoreSet) -> ScoreSet:
        return replace(scores, frames={name: items for name, items in scores.frames.items() if name != "jpeg50"})

    fewer = [without_jpeg(scores) if scores.model == "baseline" else scores for scores in score_sets]
    card = card_of(compute_results(fewer, params.report, params.seed), params, tmp_path)
    line = next(line for line in card.splitlines() if line.startswith("| JPEG quality 50 |"))
    first, second = re.findall(r"(–|\d\.\d{3}) (?:\(|\|)", line)[:2]
    assert first == "–" != second


def test_the_worst_case_is_of_the_attacks_that_were_run(results: Results, params: Params, tmp_path: Path) -> None:
    assert "worst case on fakes (PGD, then APGD)" in card_of(results, params, tmp_path)
    quick = params.evaluate.quick.model_copy(update={"apgd_steps": 0})
    plain = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"quick": quick})})
    assert "worst case on fakes (PGD)" in card_of(results, plain, tmp_path)
