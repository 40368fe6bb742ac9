"""Which fakes are explained."""

from collections import Counter
from pathlib import Path

import pytest
from crop_folders import face_video, write_crop_folder

from deepfake.crops.shards import CropSet, open_crops
from deepfake.errors import DataError
from deepfake.explain.picking import pick_fakes
from deepfake.records import CropRow, VideoKey

METHODS = ("Deepfakes", "FaceSwap", "NeuralTextures")
PAIRS = tuple(f"{number:03d}" for number in range(6))


def crops_of(folder: Path, videos: dict[str, int]) -> CropSet:
    """Videos of one name are of one person."""
    crops = open_crops(write_crop_folder(folder, videos, split="test"))
    people = {key: face_video(key, split="test", cluster=VideoKey.parse(key).video) for key in crops.videos}
    return CropSet(people, crops.rows, crops.shards)


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    fakes = {f"ffpp/{method}/{pair}": 5 for method in METHODS for pair in PAIRS}
    return crops_of(tmp_path / "crops", fakes | {"ffpp/original/000": 5})


def methods(rows: list[CropRow]) -> list[str]:
    return [VideoKey.parse(row.video).method for row in rows]


@pytest.mark.parametrize("count", [3, 6, 12])
def test_methods_take_turns_and_each_video_comes_once(crops: CropSet, count: int) -> None:
    picked = pick_fakes(crops, count, seed=1)
    assert methods(picked) == list(METHODS) * (count // 3)
    assert len({row.video for row in picked}) == count
    people = Counter(crops.videos[row.video].cluster for row in picked)
    assert len(people) == min(count, len(PAIRS))
    assert max(people.values()) <= -(-count // len(PAIRS)) + (count > len(PAIRS))


def test_the_first_few_are_the_same_however_many_follow(crops: CropSet) -> None:
    assert pick_fakes(crops, 12, seed=1)[:4] == pick_fakes(crops, 4, seed=1)
    assert pick_fakes(crops, 4, seed=1) != pick_fakes(crops, 4, seed=2)


def test_the_frame_is_the_middle_one(crops: CropSet) -> None:
    assert {row.frame for row in pick_fakes(crops, 5, seed=1)} == {2}


def test_where_there_are_fewer_fakes_all_are_taken_and_no_real(tmp_path: Path) -> None:
    crops = crops_of(
        tmp_path / "few", {"ffpp/FaceSwap/1": 2, "ffpp/FaceSwap/2": 1, "ffpp/Face2Face/1": 1, "ffpp/original/1": 3}
    )
    assert Counter(methods(pick_fakes(crops, 100, seed=1))) == {"FaceSwap": 2, "Face2Face": 1}


def test_no_fake_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no crop of a fake"):
        pick_fakes(crops_of(tmp_path / "reals", {"ffpp/original/1": 3}), 4, seed=1)
