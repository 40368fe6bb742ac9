"""The table of how often intervals hold the truth: its truths are true, and it sees an interval that does not."""

from pathlib import Path

import numpy as np
import pytest
from interval_coverage import AUC, PARTIAL, TPR, Setting, draw, main, repeat, truths

from deepfake.metrics.operating_point import tpr_at_fpr
from deepfake.metrics.ranking import Ranking, auc, partial_auc


@pytest.mark.parametrize("skill", [0.0, 1.0, 2.3])
def test_the_truth_is_what_a_very_large_test_says(skill: float) -> None:
    scores, labels, _ = draw(Setting("large", people=100_000, reals=1, fakes=1), skill, seed=0)
    roc = Ranking(scores[1], labels).roc()
    found = {AUC: auc(roc), PARTIAL: partial_auc(roc, 0.1), TPR: tpr_at_fpr(roc, 0.01)}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(truths(skill), abs=0.01)


def test_people_are_tested_together_and_two_detectors_agree_about_them() -> None:
    scores, labels, people = draw(Setting("one", people=100_000, reals=1, fakes=1), 1.0, seed=0)
    assert people[:4] == ["0", "0", "1", "1"]
    assert labels[:4].tolist() == [0, 1, 0, 1]
    reals, fakes = scores[0, labels == 0], scores[0, labels == 1]
    assert np.corrcoef(reals, fakes)[0, 1] == pytest.approx(0.3, abs=0.02)
    assert np.corrcoef(scores[0] - labels, scores[1] - labels)[0, 1] == pytest.approx(0.3, abs=0.02)


def test_few_reals_make_the_intervals_of_a_rate_at_one_percent_too_narrow_and_those_of_the_auc_hardly() -> None:
    lines = {line.metric: line for line in repeat(Setting("few", 25, 2, 3), 2.3, tests=60, resamples=200)}
    assert (lines[TPR].reals, lines[TPR].fakes) == (50, 75)
    assert lines[AUC].held > 0.85
    assert lines[TPR].held < 0.8
    assert lines[TPR].below > lines[TPR].above, "they miss upwards"
    assert lines[TPR].fpr > 0.012
    assert all(line.held + line.above + line.below == pytest.approx(1) for line in lines.values())


def test_the_tables_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interval_coverage.SETTINGS", [Setting("few", people=10, reals=2, fakes=2)])
    main(["--tests", "2", "--resamples", "20", "--out", str(tmp_path / "table")])
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 1 + 2 * 3
    assert "| few | 20 | 20 | AUC | 0.760 |" in (tmp_path / "table.md").read_text()
