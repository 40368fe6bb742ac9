"""The quick profile beside the thorough one."""

import csv
from dataclasses import replace
from pathlib import Path

import profiles
import pytest
from reporting.made_up import write_score_folders
from toy_project import REPOSITORY

from deepfake.errors import DataError
from deepfake.records import FrameScore
from deepfake.tables import read_rows, write_rows


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Score folders of the same models, twice."""
    monkeypatch.chdir(REPOSITORY)
    for name in ("quick", "thorough"):
        write_score_folders(tmp_path / name, "robust", skill=0.9)
    return tmp_path / "quick", tmp_path / "thorough"


def table(roots: tuple[Path, Path]) -> list[dict[str, str]]:
    quick, thorough = roots
    out = thorough.parent / "t"
    profiles.main(["--quick", str(quick), "--thorough", str(thorough), "--out", str(out)])
    with out.with_suffix(".csv").open() as file:
        return list(csv.DictReader(file))


def test_attacks_that_find_nothing_more_leave_every_number_as_it_is(roots: tuple[Path, Path]) -> None:
    lines = table(roots)
    assert {line["under"] for line in lines} >= {"clean", "worst case", "worst case at 8/255"}
    assert all(line["quick"] == line["thorough"] for line in lines)
    assert "beyond quick: 0.0000" in (roots[1].parent / "t.md").read_text()


def is_adaptive_on_fake(row: FrameScore) -> bool:
    return row.condition == "adaptive_jpeg50" and "/youtube/" not in row.video


def leave_out(folder: Path, video: str) -> None:
    """As if a profile had not chosen this video."""
    for path in folder.glob("*.csv"):
        head, *lines = path.read_text().splitlines()
        if "video" in head.split(","):
            path.write_text("\n".join([head, *(line for line in lines if video not in line.split(","))]) + "\n")


def test_what_harder_attacks_find_is_told_on_the_videos_that_both_attacked(roots: tuple[Path, Path]) -> None:
    folder = roots[1] / "robust_train"
    frames = read_rows(folder / "frames.csv", FrameScore)
    harder = [replace(row, logit=row.logit - 100 * is_adaptive_on_fake(row)) for row in frames]
    write_rows(folder / "frames.csv", FrameScore, harder)
    leave_out(folder, next(row.video for row in frames if is_adaptive_on_fake(row)))
    lines = {(line["role"], line["under"]): line for line in table(roots)}
    found = lines["train", "adaptive PGD, then JPEG quality 50"]
    assert float(found["thorough"]) < float(found["quick"])
    assert int(found["videos"]) == len({row.video for row in frames if row.condition == "pgd"}) - 1
    for role, under in (("train", "clean"), ("cross", "worst case")):
        assert lines[role, under]["quick"] == lines[role, under]["thorough"]


def test_scores_of_other_models_are_refused(roots: tuple[Path, Path]) -> None:
    write_score_folders(roots[1], "baseline", skill=1.0)
    with pytest.raises(DataError, match="not the same models"):
        table(roots)


def test_scores_of_detectors_that_were_trained_again_are_refused(roots: tuple[Path, Path]) -> None:
    path = roots[1] / "robust_cross" / "frames.csv"
    frames = read_rows(path, FrameScore)
    write_rows(path, FrameScore, [replace(row, logit=row.logit + 0.01 * (row.condition == "clean")) for row in frames])
    with pytest.raises(DataError, match=r"robust_cross: the clean scores differ"):
        table(roots)
