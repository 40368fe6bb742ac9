"""The headline is short, flat, free of NaN, and can be read back with its intervals."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake.errors import DataError
from deepfake.params import Params
from deepfake.reporting.headline import headline, read_headline, read_intervals, write_headline, write_intervals
from deepfake.reporting.matrix import Estimate, MetricRow, build_matrix
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.trivial import trivial_rows


@pytest.fixture(scope="module")
def numbers(score_sets: list[ScoreSet], rows: list[MetricRow], params: Params) -> dict[str, Estimate]:
    return headline(score_sets, rows, trivial_rows(score_sets, params.report, params.seed))


def test_the_shipped_conditions_make_at_most_thirty_flat_finite_numbers(
    numbers: dict[str, Estimate], score_sets: list[ScoreSet], params: Params, tmp_path: Path
) -> None:
    shipped = {f"jpeg{quality}" for quality in params.evaluate.jpeg_quality}
    shipped |= {f"h264_crf{crf}" for crf in params.evaluate.h264_crf}
    assert set(score_sets[0].frames) == {"clean"} | shipped
    write_headline(tmp_path / "headline.json", numbers)
    values = json.loads((tmp_path / "headline.json").read_text())
    assert 20 < len(values) <= 30
    assert all(isinstance(value, float) and math.isfinite(value) for value in values.values())
    assert all(value == round(value, 4) for value in values.values())


def test_keys_name_model_role_condition_and_metric(numbers: dict[str, Estimate]) -> None:
    expected = {
        "train.coverage",
        "cross.coverage",
        "baseline.train.clean.tpr_at_1pct_fpr",
        "baseline.train.clean.deployed_fpr",
        "baseline.cross.h264_crf40.auc",
        "baseline.cross.face_masked.auc",
    }
    assert expected <= set(numbers)
    assert numbers["train.coverage"].value == 1
    assert numbers["cross.coverage"].value == pytest.approx(117 / 120)


def test_a_single_role_without_video_codecs_leaves_their_keys_out(score_sets: list[ScoreSet], params: Params) -> None:
    pictures = {name: frames for name, frames in score_sets[0].frames.items() if not name.startswith("h264")}
    alone = [replace(score_sets[0], frames=pictures)]
    numbers = headline(alone, build_matrix(alone, params.report, params.seed), [])
    assert "baseline.train.jpeg50.auc" in numbers
    assert not [key for key in numbers if "cross" in key or "h264" in key]


def test_an_undefined_interval_has_no_bounds_and_zero_has_no_sign(tmp_path: Path) -> None:
    write_headline(tmp_path / "headline.json", {"m.train.clean.auc": Estimate(1.0), "m.x": Estimate(-0.00001)})
    assert (tmp_path / "headline.json").read_text() == '{\n  "m.train.clean.auc": 1.0,\n  "m.x": 0.0\n}\n'


def test_metrics_and_intervals_are_read_back(numbers: dict[str, Estimate], tmp_path: Path) -> None:
    write_headline(tmp_path / "headline.json", numbers)
    write_intervals(tmp_path / "intervals.json", numbers)
    values = read_headline((tmp_path / "headline.json").read_text())
    intervals = read_intervals((tmp_path / "intervals.json").read_text())
    for key, estimate in numbers.items():
        assert values[key] == pytest.approx(estimate.value, abs=5e-5)
        assert (key in intervals) == math.isfinite(estimate.low)
    assert intervals["baseline.train.clean.auc"].low == values["baseline.train.clean.auc_low"]


@pytest.mark.parametrize("text", ["", "[1]", '{"a": "b"}', '{"a": null}'])
def test_what_is_no_headline_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="flat JSON"):
        read_headline(text)


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 1}', '{"a": [1]}'])
def test_what_is_no_table_of_intervals_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="JSON object of intervals"):
        read_intervals(text)
