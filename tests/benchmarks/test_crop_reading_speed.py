from pathlib import Path

import crops
import numpy as np
import pytest
from crop_folders import write_crop_folder
from timing import Line
from toy_project import REPOSITORY

from deepfake.crops.shards import CropSet, open_crops
from deepfake.errors import SettingsError
from deepfake.evaluation.prediction import read_groups, whole_clips
from deepfake.tables import read_rows
from deepfake.video.pictures import read_image

VIDEOS = {"set/original/a": 3, "set/Fakes/b": 4}


@pytest.fixture
def copies(tmp_path: Path) -> CropSet:
    source = open_crops(write_crop_folder(tmp_path / "source", VIDEOS, size=16))
    return crops.write_copies(source, tmp_path, 20, 16)


def test_every_way_reads_the_same_crops(copies: CropSet, tmp_path: Path) -> None:
    ours = [pixels for _, batch in read_groups(copies.clips(), whole_clips(copies), batch_size=4, workers=2)
            for pixels in batch]  # fmt: skip
    raw = [pixels for batch in crops.read_raw(copies, tmp_path / "shards", 4) for pixels in batch]
    pngs = [read_image(path) for path in (tmp_path / "pngs").rglob("*.png")]
    assert len(ours) == len(raw) == len(pngs) == 20
    assert as_set(ours) == as_set(raw) == as_set(pngs)


def test_copies_keep_their_labels_and_are_as_many_as_asked_for(copies: CropSet, tmp_path: Path) -> None:
    fakes = [row for row in copies.rows if copies.label(row)]
    assert (len(copies.rows), len(fakes)) == (20, 4 * 2 + 3)
    assert len(list((tmp_path / "pngs/fake").iterdir())) == len(fakes)


def test_at_small_size_every_comparison_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    folder = write_crop_folder(tmp_path / "source", VIDEOS, size=16)
    crops.main(["--crops", str(folder), "--count", "64", "--sizes", "32", "--rounds", "1",
                "--out", str(tmp_path / "table")])  # fmt: skip
    lines = read_rows(tmp_path / "table.csv", Line)
    assert [(row.task, row.against) for row in lines] == [
        ("read uint8, 32 px", crops.FOLDER), ("read uint8, 32 px", crops.RAW),
        ("draw float32, 32 px", f"{crops.FOLDER}, shuffled"),
    ]  # fmt: skip
    assert all(line.ratio > 0 for line in lines)
    with pytest.raises(SettingsError, match="a batch"):
        crops.main(["--crops", str(folder), "--count", "20", "--sizes", "32", "--out", str(tmp_path / "none")])


def as_set(pictures: list[np.ndarray]) -> set[bytes]:
    return {picture.tobytes() for picture in pictures}
