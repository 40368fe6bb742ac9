"""Comparing with committed metrics says what changed, and whether it is within the committed intervals."""

import json
import subprocess
from pathlib import Path

import pytest

import compare as script
from deepfake.errors import DataError
from deepfake.metrics.intervals import Interval
from deepfake.reporting.comparison import compare, describe

COMMITTED = {"model.train.clean.auc": 0.95, "model.train.jpeg50.auc": 0.9, "train.coverage": 1.0}
INTERVALS = {"model.train.clean.auc": Interval(0.92, 0.97), "model.train.jpeg50.auc": Interval(0.88, 0.92)}


def lines(now: dict[str, float]) -> list[str]:
    return list(describe(compare(COMMITTED, now, INTERVALS)))


def test_unchanged_metrics_are_called_identical_in_one_line() -> None:
    assert lines(COMMITTED) == ["metrics: all 3 numbers are identical to the committed metrics"]


def test_a_change_within_its_interval_is_shown_without_a_warning() -> None:
    header, row, verdict = lines({**COMMITTED, "model.train.clean.auc": 0.94})
    assert header.split()[:4] == ["metric", "committed", "now", "difference"]
    assert row.split() == ["model.train.clean.auc", "0.9500", "0.9400", "−0.0100", "yes"]
    assert (
        verdict == "metrics: 1 of 3 numbers differ from the committed metrics; none lies outside a committed interval"
    )


def test_a_change_out_of_its_interval_is_warned_of_by_name() -> None:
    *rows, verdict = lines({**COMMITTED, "model.train.clean.auc": 0.98, "model.train.jpeg50.auc": 0.87})
    assert [row.split()[-1] for row in rows[1:]] == ["no", "no"]
    assert verdict.startswith("WARNING: 2 of 3 numbers differ")
    assert "model.train.clean.auc, model.train.jpeg50.auc" in verdict


def test_a_number_without_an_interval_cannot_be_judged() -> None:
    *rows, verdict = lines({**COMMITTED, "train.coverage": 0.5})
    assert rows[-1].endswith("no interval")
    assert "WARNING" not in verdict
    assert verdict.endswith("none lies outside a committed interval, 1 without one changed")


def test_a_raised_flag_is_warned_of_although_it_has_no_interval() -> None:
    flags = "robust.gradient_masking_flags"
    found = [compare({flags: before}, {flags: now}, {}) for before, now in ((0.0, 3.0), (3.0, 0.0))]
    raised, lowered = ([*describe(each)][-1] for each in found)
    assert raised.startswith("WARNING")
    assert raised.endswith(f"raise more flags: {flags}")
    assert "WARNING" not in lowered


def test_metrics_on_one_side_only_are_shown() -> None:
    now = {"model.train.clean.auc": 0.95, "train.coverage": 1.0, "robust.train.clean.auc": 0.9}
    *rows, verdict = lines(now)
    assert [row.split()[0] + " " + row.split()[-1] for row in rows[1:]] == [
        "robust.train.clean.auc new",
        "model.train.jpeg50.auc gone",
    ]
    assert verdict.startswith("WARNING")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git repository that has committed metrics."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "headline.json").write_text(json.dumps(COMMITTED))
    (tmp_path / "metrics" / "intervals.json").write_text(json.dumps(INTERVALS))
    monkeypatch.chdir(tmp_path)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "metrics"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def test_the_script_compares_with_the_last_commit(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.main([])
    assert "identical" in capsys.readouterr().out
    (repository / "metrics" / "headline.json").write_text(json.dumps({**COMMITTED, "model.train.clean.auc": 0.5}))
    script.main([])
    assert "outside the committed interval: model.train.clean.auc" in capsys.readouterr().out


def test_the_script_goes_without_committed_intervals(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "metrics" / "headline.json").write_text(json.dumps({**COMMITTED, "model.train.clean.auc": 0.5}))
    script.main(["--intervals", "metrics/nothing.json"])
    assert "no interval" in capsys.readouterr().out


def test_without_a_repository_or_a_committed_file_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "headline.json").write_text(json.dumps(COMMITTED))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for path in ("/usr/bin:/bin", ""):
        monkeypatch.setenv("PATH", path)
        script.main(["--headline", "headline.json"])
        assert capsys.readouterr().out.count("nothing to compare with\n") == 1


@pytest.mark.usefixtures("repository")
def test_a_revision_that_git_does_not_know_is_no_reason_to_be_content() -> None:
    script.main(["--revision", "HEAD"])
    with pytest.raises(DataError, match="mian: no such Git revision"):
        script.main(["--revision", "mian"])


def test_without_metrics_the_stage_to_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="after `dvc repro report`"):
        script.main([])
