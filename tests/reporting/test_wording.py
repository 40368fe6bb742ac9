"""Numbers and names read well, in the page, in Markdown and in a terminal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepfake.params import Params
from deepfake.reporting.explanations import CONTRAST, MEASURES, ExplanationRow
from deepfake.reporting.markdown import Findings, write_markdown
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.results import compute_results
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.undo import UndoRow
from deepfake.reporting.wording import (
    attack_title,
    bounds,
    budget,
    check_title,
    condition_title,
    count,
    difference,
    label,
    number,
    percent,
    role_title,
)


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (-0.5, "−0.500"), (-0.0001, "0.000"), (1, "1.000"), (np.nan, "–")]
)
def test_numbers_have_fixed_decimals_and_zero_has_no_sign(value: float, text: str) -> None:
    assert number(value) == text


def test_differences_show_their_direction() -> None:
    assert [difference(value) for value in (0.01, -0.01, 0.0001, np.nan)] == ["+0.010", "−0.010", "0.000", "–"]


def test_bounds_are_empty_where_there_is_no_interval() -> None:
    assert bounds(Estimate(0.5, 0.25, 0.75), 2) == "0.25 to 0.75"
    assert bounds(Estimate(0.5)) == ""


def test_a_long_name_loses_its_middle_and_a_short_one_nothing() -> None:
    assert label("adaptive PGD, then JPEG quality 50") == "adaptive PGD, then JPEG quality 50"
    shortened = label("first" + "x" * 100 + "last")
    assert len(shortened) == 36
    assert (shortened[:5], shortened[-4:]) == ("first", "last")


def test_units_stay_with_their_number() -> None:
    assert percent(0.125) == "12.5\u00a0%"
    assert count(12345) == "12\u202f345"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("clean", "clean"),
        ("jpeg50", "JPEG quality 50"),
        ("h264_crf40", "H.264 CRF 40"),
        ("pgd", "PGD"),
        ("unet", "U-Net"),
        ("pgd_both", "PGD, both classes"),
        ("unet_jpeg50", "U-Net, then JPEG quality 50"),
        ("unet_both_h264_crf23", "U-Net, both classes, then H.264 CRF 23"),
        ("worst", "worst case"),
        ("worst_h264_crf23", "worst case, then H.264 CRF 23"),
        ("apgd", "+ APGD"),
        ("pgd_strong", "+ strong PGD"),
        ("adaptive_jpeg50", "adaptive PGD, then JPEG quality 50"),
        ("pgd10_jpeg50", "pgd10_jpeg50"),
        ("unetwork", "unetwork"),
    ],
)
def test_known_conditions_have_titles_and_others_keep_their_name(name: str, title: str) -> None:
    assert condition_title(name) == title


def test_an_attack_is_called_as_it_is_and_with_the_codec_that_it_knows() -> None:
    titles = {"apgd": "APGD", "adaptive_h264_crf23": "adaptive PGD (H.264 CRF 23)", "unknown_attack": "unknown_attack"}
    assert {attack: attack_title(attack) for attack in titles} == titles


def test_roles_checks_and_budgets_have_words() -> None:
    assert role_title("train", "ffpp") == "in-domain (ffpp)"
    assert role_title("other", "x") == "other (x)"
    assert check_title("noise_wins") == "random noise beats PGD"
    assert check_title("some_new_check") == "some new check"
    assert (budget(8 / 255), budget(0.5 / 255)) == ("8/255", "0.5/255")


def test_markdown_tables_survive_names_with_signs(score_sets: list[ScoreSet], params: Params, tmp_path: Path) -> None:
    clean = score_sets[1].frames["clean"]
    odd = replace(score_sets[1], model="a|b_<i>", frames={"clean": clean, "x|*y*": clean})
    results = compute_results([odd], params.report, params.seed)
    means = dict.fromkeys(MEASURES, Estimate(0.25, 0.125, 0.5))
    findings = Findings(
        [ExplanationRow(CONTRAST, "x|y", 7, dict.fromkeys(MEASURES, 7) | {"breadth": 1}, means)],
        [UndoRow("m|*", 3, {2: 0.5})],
    )
    write_markdown(tmp_path / "results.md", results, {"cross": findings}, "Profile *x*.")
    text = (tmp_path / "results.md").read_text()
    assert "| a\\|b\\_\\<i\\> AUC |" in text
    assert "| x\\|\\*y\\* | 0." in text
    assert "gradients, a\\|b\\_\\<i\\>: none" in text
    assert "| x\\|y | robust − baseline | 7 | +0.25 (0.12 to 0.50) | +0.25 (0.12 to 0.50), 1 face | +0.25" in text
    assert "| m\\|\\*, 3 fakes | 50.0\u00a0% |" in text
    assert "| U-Net on a\\|b\\_\\<i\\> |" in text
    assert "Profile \\*x\\*." in text
