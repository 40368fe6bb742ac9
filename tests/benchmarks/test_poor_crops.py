from pathlib import Path

import numpy as np
import poor_crops
import pytest
from poor_crops import Line, changes
from toy_project import Project

from deepfake.crops.shards import open_crops
from deepfake.records import REAL
from deepfake.scoring.quality import sharpness
from deepfake.tables import read_rows


def test_changes_are_what_they_are_called() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    made = {name: change(crop) for name, change in changes().items()}
    assert np.array_equal(made.pop("none"), crop)
    assert all(changed.shape == crop.shape and changed.dtype == np.uint8 for changed in made.values())
    assert made["no colour"].max(axis=-1).tolist() == made["no colour"].min(axis=-1).tolist()
    sharp = [sharpness(crop), *(sharpness(made[f"blur, sigma {sigma}"]) for sigma in ("0.5", "1", "1.5", "2"))]
    assert sharp == sorted(sharp, reverse=True)


def test_every_change_has_a_line_and_unchanged_reals_pass(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    poor_crops.main(["--crops", "data/crops/train", "--model", "models/release/robust.pt",
                     "--out", str(tmp_path / "table")])  # fmt: skip
    lines = {line.change: line for line in read_rows(tmp_path / "table.csv", Line)}
    assert list(lines) == list(changes())
    reals = open_crops(Path("data/crops/train")).in_splits(["val"]).of_label(REAL)
    assert {line.videos for line in lines.values()} == {len({row.video for row in reals.rows})}
    assert lines["none"].alarms == 0
    assert all(line.sharp_alarms <= min(line.sharp, line.alarms) for line in lines.values())
    assert "| no colour |" in (tmp_path / "table.md").read_text()
