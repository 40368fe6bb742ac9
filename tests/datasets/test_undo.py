"""Undo shares are read where a dataset states them, and nonsense is named."""

from pathlib import Path

import pytest

from deepfake.datasets.undo import read_undo
from deepfake.errors import DataError


def write(folder: Path, text: str) -> Path:
    path = folder / "attributes.csv"
    path.write_text(text)
    return path


def test_shares_are_known_by_method_video_and_budget(tmp_path: Path) -> None:
    path = write(tmp_path, "method,video,light,undo_1,undo_8\nA,1_2,dim,0.25,1.0\nB,1_2,dim,,0.5\n")
    assert read_undo(path) == {("A", "1_2"): {1: 0.25, 8: 1.0}, ("B", "1_2"): {8: 0.5}}


def test_without_file_or_columns_nothing_is_stated(tmp_path: Path) -> None:
    assert read_undo(tmp_path / "attributes.csv") == {}
    assert read_undo(write(tmp_path, "method,video\nA,1\n")) == {("A", "1"): {}}


@pytest.mark.parametrize("cell", ["much", "nan", "1.5", "-0.1"])
def test_what_is_no_share_is_named_with_its_line(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path, f"method,video,undo_2\nA,1,0.5\nA,2,{cell}\n")
    with pytest.raises(DataError, match=rf"attributes\.csv, line 3: undo_2 is '{cell}'"):
        read_undo(path)
