"""Sizes of perturbations, checks for masked gradients and explanations are told as they were measured."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reporting.made_up import png, write_explanations

from deepfake.errors import DataError
from deepfake.findings import Explanation, SanityCheck
from deepfake.params import Params
from deepfake.reporting.evidence import masking_sentences, perturbation_rows
from deepfake.reporting.explanations import (
    CONTRAST,
    MEASURES,
    ExplanationRow,
    explanation_rows,
    explanation_sentences,
    read_panels,
)
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.scores import ScoreSet
from deepfake.tables import read_rows, write_rows


def test_perturbations_are_told_by_their_medians(score_sets: list[ScoreSet]) -> None:
    pgd, unet, _ = perturbation_rows(score_sets[0])
    own = [row.psnr for row in score_sets[0].perturbations if row.attack == "unet"]
    assert (pgd.attack, unet.attack, unet.crops) == ("pgd", "unet", len(own))
    assert unet.medians["psnr"] == pytest.approx(np.median(own))


def test_raised_checks_are_named_in_words_with_what_follows(score_sets: list[ScoreSet]) -> None:
    quiet, loud = masking_sentences(score_sets)
    assert quiet == "Checks for masked gradients, baseline: none of 20 raised a flag."
    assert "2 of 18 raised a flag: crops without a gradient (train); crops without a gradient (cross)." in loud
    assert loud.endswith("are then not to be quoted.")


def test_a_model_without_checks_is_not_said_to_have_passed_them(score_sets: list[ScoreSet]) -> None:
    assert list(masking_sentences([replace(score_sets[0], checks=())])) == []
    assert "none of 1" in next(masking_sentences([replace(score_sets[0], checks=(SanityCheck("a", 0, 0, 0),))]))


@pytest.fixture
def table(score_root: Path, tmp_path: Path) -> Path:
    write_explanations(tmp_path, score_root)
    return tmp_path / "train" / "faces.csv"


def explained(table: Path, scores: ScoreSet, params: Params) -> dict[tuple[str, str], ExplanationRow]:
    rows = explanation_rows(table, scores, params.report, params.seed)
    return {(row.condition, row.model): row for row in rows}


def test_explanations_are_averaged_by_condition_and_model(
    table: Path, score_sets: list[ScoreSet], params: Params
) -> None:
    rows = explained(table, score_sets[0], params)
    assert list(rows)[:4] == [
        ("clean", "baseline"), ("clean", "robust"), ("clean", CONTRAST), ("pgd", "baseline"),
    ]  # fmt: skip
    raw = [row for row in read_rows(table, Explanation) if (row.condition, row.model) == ("unet", "robust")]
    mean = rows["unet", "robust"].means["faithfulness"]
    assert mean.value == pytest.approx(np.mean([row.faithfulness for row in raw]))
    assert mean.low < mean.value < mean.high
    assert rows["unet", "robust"].faces == len(raw)
    assert np.isnan(rows["clean", "robust"].means["stability"].low)  # 1 by definition


def test_words_about_the_maps_follow_from_their_intervals() -> None:
    nothing, known = dict.fromkeys(MEASURES, Estimate(np.nan)), dict.fromkeys(MEASURES, 9)
    rows = [
        ExplanationRow("baseline", "clean", 9, known, nothing | {"faithfulness": Estimate(-0.6, -1.0, -0.2)}),
        ExplanationRow("robust", "clean", 9, known, nothing | {"faithfulness": Estimate(0.1, -0.2, 0.4)}),
        ExplanationRow(CONTRAST, "clean", 9, known, nothing | {"breadth": Estimate(0.16, 0.07, 0.26)}),
        ExplanationRow("robust", "pgd", 9, known, nothing),
    ]
    assert list(explanation_sentences(rows)) == [
        "Clean maps, baseline: they mislead (faithfulness −0.60, −1.00 to −0.20).",
        "Clean maps, robust: they do not demonstrably tell anything (faithfulness 0.10, −0.20 to 0.40).",
        "Clean maps of the robust model are broader than those of the baseline (breadth +0.16, 0.07 to 0.26).",
    ]
    unknown = list(explanation_sentences([replace(rows[2], means=nothing)]))
    assert unknown == [
        "Clean maps of the robust model are neither demonstrably broader nor narrower than those of the baseline "
        "(breadth –)."
    ]


def test_models_are_compared_face_by_face_where_both_are_known(
    table: Path, score_sets: list[ScoreSet], params: Params
) -> None:
    rows = read_rows(table, Explanation)
    one = {
        model: [row for row in rows if (row.condition, row.model) == ("pgd", model)] for model in ("baseline", "robust")
    }
    baseline, robust = (
        [replace(row, breadth=value) for row, value in zip(one[model], values, strict=False)]
        for model, values in (("baseline", (0.1, np.nan, 0.3)), ("robust", (0.4, 0.9, 0.8, 0.7)))
    )
    write_rows(table, Explanation, [*baseline, *robust])
    contrast = explained(table, score_sets[0], params)["pgd", CONTRAST]
    assert contrast.faces == 3
    assert contrast.means["breadth"].value == pytest.approx((0.3 + 0.5) / 2)
    assert (contrast.known["breadth"], contrast.note("breadth")) == (2, "2 faces")
    assert (contrast.known["faithfulness"], contrast.note("faithfulness")) == (3, "")


def test_what_is_not_known_of_a_face_is_left_out_of_the_mean(
    table: Path, score_sets: list[ScoreSet], params: Params
) -> None:
    rows = [row for row in read_rows(table, Explanation) if row.model == "robust" and row.condition == "pgd"][:3]
    known = [replace(row, overlap=overlap) for row, overlap in zip(rows, (1.0, np.nan, 2.0), strict=True)]
    write_rows(table, Explanation, known)
    means = explained(table, score_sets[0], params)["pgd", "robust"].means
    assert means["overlap"].value == 1.5
    assert np.isnan(means["overlap"].low)  # too few people
    write_rows(table, Explanation, [replace(row, overlap=np.nan) for row in rows])
    assert np.isnan(explained(table, score_sets[0], params)["pgd", "robust"].means["overlap"].value)


def test_explanations_of_strangers_and_missing_ones_are_refused(
    table: Path, score_sets: list[ScoreSet], params: Params, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="not among the test videos"):
        explanation_rows(table, score_sets[1], params.report, params.seed)
    with pytest.raises(DataError, match="dvc repro render_gradcam"):
        explanation_rows(tmp_path / "faces.csv", score_sets[0], params.report, params.seed)


def test_panels_come_by_number_and_perturbations_apart(input_root: Path) -> None:
    panels = read_panels(input_root / "gradcam" / "train")
    assert [shown.title for shown in panels.faces][:2] == ["Deepfakes, face 1", "Face2Face, face 2"]
    assert panels.perturbations is not None
    assert panels.perturbations.source.startswith("data:image/png;base64,iVBOR")


def test_panels_beyond_the_space_are_left_out(input_root: Path) -> None:
    panels = read_panels(input_root / "gradcam" / "train")
    size = len(panels.faces[0].source)
    assert [len(panels.fitting(size * times)) for times in (0, 1, 3, 100)] == [0, 0, 2, 4]


def test_no_panels_and_what_is_no_picture_are_refused(input_root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no panels"):
        read_panels(tmp_path)
    shutil.copytree(input_root / "gradcam" / "cross", tmp_path, dirs_exist_ok=True)
    (tmp_path / "02_x.png").write_bytes(png(4, 4)[1:])
    with pytest.raises(DataError, match=r"02_x\.png: not a PNG"):
        read_panels(tmp_path)
