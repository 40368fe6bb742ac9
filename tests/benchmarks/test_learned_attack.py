"""The comparison under a learned attack says of the pipeline's detectors what the report says of them."""

import csv
from math import isnan
from pathlib import Path

import pytest
from learned_attack import Line, main
from toy_project import Project

from deepfake.errors import DeepfakeError
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
