"""Masks: where each layout keeps them, and that their absence is no error."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from crop_folders import face_video

from deepfake.datasets.masks import mask_path
from deepfake.params import DatasetParams
from deepfake.records import FaceVideo

Plant = Callable[[Iterable[str]], None]


def video(key: str, path: str) -> FaceVideo:
    return FaceVideo(**{**vars(face_video(key)), "path": path})


def find(root: Path, layout: str, key: str, path: str) -> Path | None:
    return mask_path(DatasetParams.model_validate({"layout": layout, "root": str(root)}), video(key, path))


@pytest.mark.parametrize(
    ("layout", "key", "path", "mask"),
    [
        (
            "ffpp",
            "ffpp/Deepfakes/004_005",
            "manipulated_sequences/Deepfakes/c23/videos/004_005.mp4",
            "manipulated_sequences/Deepfakes/masks/videos/004_005.mp4",
        ),
        ("ffpp", "ffpp/Deepfakes/004_005", "Deepfakes/c23/videos/004_005.mp4", "Deepfakes/masks/videos/004_005.mp4"),
        ("ffpp", "ffpp/Deepfakes/004_005", "Deepfakes/004_005.mp4", "Deepfakes/masks/004_005.mp4"),
        (
            "celebdf",
            "celebdf/Celeb-synthesis/id0_id1_0000",
            "Celeb-synthesis/id0_id1_0000.mp4",
            "masks/Celeb-synthesis/id0_id1_0000.mp4",
        ),
    ],
)
def test_each_layout_has_its_place_for_masks(
    tmp_path: Path, plant: Plant, layout: str, key: str, path: str, mask: str
) -> None:
    plant([mask])
    assert find(tmp_path, layout, key, path) == tmp_path / mask


def test_a_fake_without_a_mask_file_has_none(ffpp: Path) -> None:
    path = "manipulated_sequences/FaceSwap/c23/videos/004_005.mp4"
    assert (ffpp / path).is_file()
    assert find(ffpp, "ffpp", "ffpp/FaceSwap/004_005", path) is None


def test_a_real_video_has_none_even_where_a_file_has_its_name(tmp_path: Path, plant: Plant) -> None:
    plant(["original/masks/004.mp4"])
    assert find(tmp_path, "ffpp", "ffpp/original/004", "original/004.mp4") is None


def test_a_manifest_states_no_masks(tmp_path: Path, plant: Plant) -> None:
    plant(["fake/masks/videos/a.mp4", "masks/fake/a.mp4"])
    assert find(tmp_path, "manifest", "manifest/fake/a", "fake/a.mp4") is None
