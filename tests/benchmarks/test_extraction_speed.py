from pathlib import Path

import extraction
import numpy as np
import pytest
import torch
from extraction import agreement, write_looped
from face_recipes import BatchedRecipe, SeekingRecipe, decode_only
from timing import Line
from toy_project import Project

from deepfake.errors import DataError
from deepfake.records import Box
from deepfake.tables import read_rows
from deepfake.video.decoding import decode_video, read_frames
from deepfake.video.encoding import encode_h264

FACE = Box(10, 10, 50, 50)


@pytest.fixture
def video(toy: Project) -> Path:
    """A rendered person."""
    return sorted((toy.root / "data/raw/sample/ffpp/original_sequences/youtube/c23/videos").iterdir())[0]


def test_agreement_counts_faces_that_overlap_by_half_and_missed_ones_as_no_overlap() -> None:
    a, b = Path("a"), Path("b")
    theirs = {a: {0: FACE, 3: FACE}, b: {0: FACE, 1: FACE}}
    ours = {a: {0: FACE, 3: Box(10, 10, 50, 42)}, b: {0: Box(40, 40, 80, 80), 2: FACE}}
    share, overlap = agreement(theirs, ours)
    assert share == 0.5
    assert overlap == pytest.approx((0.8 + 30 * 0 + 100 / 3100) / 2)


def test_a_recipe_that_finds_nothing_compares_nothing() -> None:
    with pytest.raises(DataError, match="finds no face"):
        agreement({Path("a"): {}}, {Path("a"): {0: FACE}})


def test_a_looped_video_shows_the_clip_again_and_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [np.full((64, 96, 3), level, np.uint8) for level in rng.permutation(12) * 20]
    clip = encode_h264(frames, crf=10)
    write_looped(tmp_path / "long.mp4", clip, 5)
    shown, decoded = read_frames(tmp_path / "long.mp4", range(60))
    assert decoded == 60
    assert np.array_equal(np.array(list(shown.values())), np.array(decode_video(clip) * 5))


def test_the_recipes_see_the_same_faces_as_each_other(video: Path, tmp_path: Path) -> None:
    numbers, cpu = [0, 3, 6], torch.device("cpu")
    seeking, batched = SeekingRecipe(cpu)(video, numbers, tmp_path), BatchedRecipe(cpu, 2)(video, numbers)
    assert list(seeking) == list(batched) == numbers
    assert agreement({video: seeking}, {video: batched}) == (1.0, pytest.approx(1, abs=0.01))
    assert len(list(tmp_path.iterdir())) == 3, "the crops are saved"
    assert decode_only(video, numbers) == 3 * 240 * 320 * 3


def test_at_small_size_every_comparison_has_a_line(
    toy: Project, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    monkeypatch.setattr(extraction, "FULL_HD", (320, 240))
    extraction.main(["--videos", str(video), "--frames", "4", "--rounds", "1", "--minutes", "0.01", "0.02",
                     "--out", str(tmp_path / "table")])  # fmt: skip
    lines = {(row.task, row.against): row for row in read_rows(tmp_path / "table.csv", Line)}
    speeds = [row for row in lines.values() if row.unit == "frames/s"]
    assert {row.against for row in speeds} == {extraction.SEEKING, extraction.BATCHED, extraction.DECODING}
    assert all(row.ratio == pytest.approx(row.ours / row.other, rel=1e-3) for row in speeds)
    assert lines["faces that the recipe finds", extraction.SEEKING].ours == 1.0
    assert lines["median IoU with the recipe's boxes", extraction.SEEKING].ours > 0.7
    assert str(toy.root) not in (tmp_path / "table.md").read_text()
