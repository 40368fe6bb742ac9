from pathlib import Path

import hiding
import numpy as np
import pytest
from hiding import FACE_ALONE, NO_FACE, WHOLE, Line, hide_surroundings
from toy_project import Project

from deepfake.crops.cutting import mask_face
from deepfake.errors import SettingsError
from deepfake.records import Box
from deepfake.tables import read_rows


def test_the_face_alone_is_all_that_masking_the_face_takes_away() -> None:
    crop = np.random.default_rng(0).integers(0, 100, (16, 16, 3)).astype(np.uint8)
    face = Box(4, 3, 12, 13)
    alone, without = hide_surroundings(crop, face), mask_face(crop, face)
    assert ((alone == crop) != (without == crop)).all()
    assert {*alone[alone != crop]} == {*without[without != crop]}  # one grey
    assert (alone[4:12, 5:11] == crop[4:12, 5:11]).all()


def test_every_detector_has_a_line_for_everything_that_it_is_shown(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    hiding.main(["--crops", "data/crops", "--detector", "one", "models/release/baseline.pt",
                 "--out", str(tmp_path / "table")])  # fmt: skip
    lines = read_rows(tmp_path / "table.csv", Line)
    assert [(line.role, line.shown) for line in lines] == [
        (role, shown) for role in ("train", "cross") for shown in (WHOLE, NO_FACE, FACE_ALONE)
    ]
    assert all(0 <= line.auc <= 1 for line in lines)
    assert "| face greyed out |" in (tmp_path / "table.md").read_text()


def test_two_detectors_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a name of its own"):
        hiding.main(["--crops", "data/crops", "--detector", "one", "a.pt", "--detector", "one", "b.pt",
                     "--out", str(tmp_path / "table")])  # fmt: skip
