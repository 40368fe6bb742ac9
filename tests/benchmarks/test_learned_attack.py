"""The comparison under a learned attack says of the pipeline's detectors what the report says of them."""

import csv
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from learned_attack import main, trainings_by_name
from learned_attack_table import MEAN, Line, Ranked, compare, rows, together
from toy_project import Project

from deepfake.errors import DeepfakeError, SettingsError
from deepfake.tables import read_rows

DETECTORS = ("robust", "baseline")


def test_it_finds_what_the_report_finds_and_compares_with_the_first(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    files = [(name, f"models/release/{name}.pt", f"models/attacker_{name}.pt") for name in DETECTORS]
    options = [word for each in files for word in ("--detector", *each)]
    main(["--crops", "data/crops/train", *options, "--out", str(tmp_path / "table")])
    lines = read_rows(tmp_path / "table.csv", Line)
    found = {(line.detector, line.condition, line.metric): line for line in lines}
    reported = values(toy.root / "plots/conditions.csv")
    assert {condition for _, condition, _ in found} == {"clean", "unet", "unet_jpeg50", "unet_h264_crf23"}
    assert {place: line.value for place, line in found.items()} == pytest.approx(
        {place: reported[place] for place in found}, abs=1e-3
    )
    for (name, condition, metric), line in found.items():
        gain = found["robust", condition, metric].value - line.value
        assert isnan(line.gain) if name == "robust" else line.gain == pytest.approx(gain, abs=2e-6)
    assert "| clean | AUC |" in (tmp_path / "table.md").read_text()


def test_a_checkpoint_in_the_place_of_an_attacker_is_one_line(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    both = ["models/release/robust.pt"] * 2
    with pytest.raises(DeepfakeError, match=r"robust\.pt"):
        main(["--crops", "data/crops/train", "--detector", "one", *both, "--out", str(tmp_path / "table")])


def ranked(value: float, *samples: float) -> dict[tuple[str, str], Ranked]:
    return {("clean", "auc"): Ranked(np.array([value]), np.array([samples]))}


def test_several_trainings_have_a_mean_with_an_interval_over_people_and_one_over_trainings() -> None:
    first = together([ranked(0.6, 0.5, 0.7), ranked(0.8, 0.7, 0.9), ranked(0.7, 0.6, 0.8)])
    other = together([ranked(0.5, 0.4, 0.6), ranked(0.6, 0.6, 0.6), ranked(0.4, 0.5, 0.3)])
    lines = [line for line in compare({"first": first, "other": other}) if line.detector == "other"]
    assert [line.training for line in lines] == ["1", "2", "3", MEAN]
    assert [line.gain for line in lines] == pytest.approx([0.1, 0.2, 0.3, 0.2])
    assert all(isnan(line.training_low) for line in lines[:3])
    mean = lines[3]
    assert mean.value == pytest.approx(0.5)
    assert (mean.low, mean.high) == pytest.approx(tuple(np.percentile([0.1, 0.3], (2.5, 97.5))), abs=0.02)
    assert (mean.training_low, mean.training_high) == pytest.approx((-0.048, 0.448), abs=0.001), "4.303 x .1 / sqrt(3)"
    (row,) = rows(list(compare({"first": first, "other": other})))
    assert row[:3] == ["clean", "AUC", "0.700"]
    assert row[3].endswith("; −0.048 to 0.448)")


def test_trainings_that_cannot_be_paired_are_one_line() -> None:
    given = [("a", "1.pt", "u.pt"), ("b", "2.pt", "u.pt"), ("a", "3.pt", "u.pt")]
    with pytest.raises(SettingsError, match=r"2 of a, 1 of b; as many trainings of each"):
        trainings_by_name(given)


def values(table: Path) -> dict[tuple[str, str, str], float]:
    """In-domain metrics of all videos, by detector, condition and metric."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["role"], row["level"], row["method"]) == ("train", "video", "all")
        ]
    metrics = ("auc", "partial_auc", "tpr_at_1pct_fpr")
    return {(row["model"], row["condition"], metric): float(row[metric]) for row in rows for metric in metrics}
