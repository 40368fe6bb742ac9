from pathlib import Path

import gpu
import numpy as np
import pytest
from timing import Line
from torch import nn
from toy_project import write_toy_params

from deepfake.errors import SettingsError
from deepfake.tables import read_rows

TASKS = ("MTCNN", "clean training", "robust training", "clean training, compiled", "PGD in evaluation")


def test_at_small_size_one_table_has_speed_and_memory_of_every_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_toy_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    compiled: list[str] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, mode: compiled.append(mode))  # which takes a minute
    gpu.main(["--size", "32", "--batch", "8", "--steps", "2", "--frames", "2", "--frame", "320", "240", "--rounds", "1",
              "--compile", "default", "--out", "table"])  # fmt: skip
    assert set(compiled) == {"default"}
    lines = read_rows(tmp_path / "table.csv", Line)
    assert [row.task for row in lines] == [text for task in TASKS for text in (task, f"{task}, peak memory")]
    assert all(row.ours > 0 and row.other > 0 for row in lines)
    assert {row.unit for row in lines} == {"frames/s", "images/s", "MB"}


def test_half_a_replay_cannot_be_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toy_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="a multiple of robust"):
        gpu.main(["--steps", "3", "--out", "table"])


def test_made_up_crops_are_of_both_classes() -> None:
    pixels = np.arange(4 * 8 * 8 * 3, dtype=np.uint8).reshape(4, 8, 8, 3)
    crops = gpu.made_up_crops(pixels)
    assert [crops.label(row) for row in crops.rows] == [0, 1, 0, 1]
    assert np.array_equal([crops.pixels(row) for row in crops.rows], pixels)
