"""The headline is short, flat, free of NaN, and can be read back with its intervals."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake.errors import DataError
from deepfake.findings import SanityCheck
from deepfake.params import Params
from deepfake.reporting.eps_curve import EpsPoint, eps_points
from deepfake.reporting.headline import headline, read_headline, read_intervals, write_headline, write_intervals
from deepfake.reporting.matrix import Estimate, MetricRow, build_matrix
from deepfake.reporting.pairing import pair_models
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.trivial import trivial_rows


@pytest.fixture(scope="module")
def numbers(with_control: list[ScoreSet], params: Params) -> dict[str, Estimate]:
    settings = (with_control, params.report, params.seed)
    trivial, rows, pairs = trivial_rows(*settings), build_matrix(*settings), pair_models(*settings)
    return headline(with_control, rows, trivial, pairs, curves_of(with_control, params))


def curves_of(score_sets: list[ScoreSet], params: Params) -> dict[tuple[str, str], list[EpsPoint]]:
    return {(s.model, s.role): eps_points(s, params.report, params.seed) for s in score_sets}


def test_the_shipped_conditions_make_thirty_flat_finite_numbers(
    numbers: dict[str, Estimate], score_sets: list[ScoreSet], params: Params, tmp_path: Path
) -> None:
    shipped = {f"jpeg{quality}" for quality in params.evaluate.jpeg_quality}
    shipped |= {f"h264_crf{crf}" for crf in params.evaluate.h264_crf}
    followed = [f"_jpeg{quality}" for quality in params.evaluate.attacked_jpeg_quality]
    followed += [f"_h264_crf{crf}" for crf in params.evaluate.attacked_h264_crf]
    shipped |= {
        attack + codec for attack in ("pgd", "unet", "pgd_both", "unet_both", "worst") for codec in ("", *followed)
    }
    shipped |= {"apgd", *(f"adaptive{codec}" for codec in followed)}
    assert set(score_sets[0].frames) == {"clean"} | shipped
    write_headline(tmp_path / "headline.json", numbers)
    values = json.loads((tmp_path / "headline.json").read_text())
    assert len(values) == 30
    assert all(isinstance(value, float) and math.isfinite(value) for value in values.values())
    assert all(value == round(value, 4) for value in values.values())


def test_keys_name_model_role_condition_and_metric(numbers: dict[str, Estimate]) -> None:
    expected = {
        f"{model}.{role}.{condition}.partial_auc"
        for model in ("baseline", "robust")
        for role in ("train", "cross")
        for condition in ("clean", "unet_jpeg50")
    }
    expected |= {f"{model}.train.worst_eps{eps}.auc" for model in ("baseline", "robust") for eps in (1, 2, 4, 8)}
    expected |= {
        f"{model}.train.{condition}.tpr_at_1pct_fpr"
        for model in ("baseline", "robust")
        for condition in ("clean", "unet_jpeg50")
    }
    expected |= {f"robust_minus_{reference}.train.unet_jpeg50.partial_auc" for reference in ("baseline", "longer")}
    expected |= {"robust.gradient_masking_flags", "faceless.train.face_masked.auc", "train.coverage", "cross.coverage"}
    assert set(numbers) == expected
    assert numbers["train.coverage"].value == 1
    assert numbers["cross.coverage"].value == pytest.approx(117 / 120)


def test_the_difference_is_that_of_the_two_models(numbers: dict[str, Estimate]) -> None:
    values = [numbers[f"{model}.train.unet_jpeg50.partial_auc"].value for model in ("baseline", "robust")]
    difference = numbers["robust_minus_baseline.train.unet_jpeg50.partial_auc"]
    assert difference.value == pytest.approx(values[1] - values[0])
    assert difference.low < difference.value < difference.high


def test_the_worst_case_at_2_255_is_stated_with_its_interval(numbers: dict[str, Estimate]) -> None:
    for model in ("baseline", "robust"):
        found = numbers[f"{model}.train.worst_eps2.auc"]
        assert found.low < found.value < found.high


def test_only_raised_checks_of_the_robust_model_are_counted(score_sets: list[ScoreSet]) -> None:
    raised, quiet = SanityCheck("a", 1.0, 0.0, 1), SanityCheck("b", 0.0, 0.0, 0)
    checks = [(raised,), (raised,), (raised, quiet, raised), (quiet, raised)]
    changed = [replace(scores, checks=own) for scores, own in zip(score_sets, checks, strict=True)]
    assert headline(changed, [], [], [], {})["robust.gradient_masking_flags"].value == 3


def test_a_single_role_without_video_codecs_leaves_their_keys_out(score_sets: list[ScoreSet], params: Params) -> None:
    pictures = ("clean", "unet_jpeg50", "worst")
    both = [
        replace(scores, frames={name: scores.frames[name] for name in pictures})
        for scores in (score_sets[0], score_sets[2])
    ]
    pairs = pair_models(both, params.report, params.seed)
    numbers = headline(both, build_matrix(both, params.report, params.seed), [], pairs, {})
    assert {"baseline.train.unet_jpeg50.partial_auc", "robust_minus_baseline.train.unet_jpeg50.partial_auc"} < set(
        numbers
    )
    assert not [key for key in numbers if "cross" in key or "h264" in key]


def test_a_model_alone_has_neither_differences_nor_flags(score_sets: list[ScoreSet], rows: list[MetricRow]) -> None:
    numbers = headline(score_sets[:1], [row for row in rows if row.model == "baseline"], [], [], {})
    assert numbers
    assert not [key for key in numbers if "robust" in key]


def test_an_undefined_interval_has_no_bounds_and_zero_has_no_sign(tmp_path: Path) -> None:
    write_headline(tmp_path / "headline.json", {"robust_minus_x": Estimate(1.0), "m.x": Estimate(-0.00001)})
    assert (tmp_path / "headline.json").read_text() == '{\n  "robust_minus_x": 1.0,\n  "m.x": 0.0\n}\n'


def test_metrics_and_intervals_are_read_back(numbers: dict[str, Estimate], tmp_path: Path) -> None:
    write_headline(tmp_path / "headline.json", numbers)
    write_intervals(tmp_path / "intervals.json", numbers)
    values = read_headline((tmp_path / "headline.json").read_text(), "headline.json")
    intervals = read_intervals((tmp_path / "intervals.json").read_text(), "intervals.json")
    for key, estimate in numbers.items():
        assert values[key] == pytest.approx(estimate.value, abs=5e-5)
        assert (key in intervals) == math.isfinite(estimate.low)
    difference = "robust_minus_baseline.train.unet_jpeg50.partial_auc"
    assert intervals[difference] == (values[f"{difference}_low"], values[f"{difference}_high"])


@pytest.mark.parametrize("text", ["", "[1]", '{"a": "b"}', '{"a": null}'])
def test_what_is_no_headline_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"^headline\.json of main: not a flat JSON"):
        read_headline(text, "headline.json of main")


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 1}', '{"a": [1]}'])
def test_what_is_no_table_of_intervals_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"^intervals\.json of main: not a JSON object of intervals"):
        read_intervals(text, "intervals.json of main")
