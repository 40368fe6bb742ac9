"""Dataset folders made of empty files: adapters look at names only."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

Plant = Callable[[Iterable[str]], None]

PAIRS = {"train": ("000", "001"), "val": ("002", "003"), "test": ("004", "005")}


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Makes empty files of the given names below tmp_path."""

    def make(names: Iterable[str]) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


@pytest.fixture
def ffpp(tmp_path: Path, plant: Plant) -> Path:
    """The official tree: three pairs, two methods in c23, one of them in c40 too, masks and DeepFakeDetection."""
    for first, second in PAIRS.values():
        plant(f"original_sequences/youtube/c23/videos/{one}.mp4" for one in (first, second))
        for fake in (f"{first}_{second}.mp4", f"{second}_{first}.mp4"):
            levels = ("Deepfakes/c23/videos", "FaceSwap/c23/videos", "FaceSwap/c40/videos", "Deepfakes/masks/videos")
            plant(f"manipulated_sequences/{level}/{fake}" for level in levels)
    plant(["original_sequences/actors/c23/videos/01__exit_phone_room.mp4"])
    plant(["manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4"])
    write_splits(tmp_path, PAIRS)
    return tmp_path


@pytest.fixture
def celebdf(tmp_path: Path, plant: Plant) -> Path:
    """Celeb-DF with four pairs of people who are swapped with each other only, and four others from YouTube."""
    for one, other in ((0, 1), (2, 3), (4, 5), (6, 7)):
        plant(f"Celeb-real/id{person}_0000.mp4" for person in (one, other))
        plant([f"Celeb-synthesis/id{one}_id{other}_0000.mp4", f"Celeb-synthesis/id{other}_id{one}_0000.mp4"])
    plant(f"YouTube-real/0000{number}.mp4" for number in range(4))
    listed = ["1 Celeb-real/id0_0000.mp4", "1 YouTube-real/00002.mp4", "0 Celeb-synthesis/id1_id0_0000.mp4"]
    (tmp_path / "List_of_testing_videos.txt").write_text("\n".join(listed) + "\n\n")
    return tmp_path


def write_splits(root: Path, pairs: dict[str, tuple[str, str]]) -> None:
    (root / "splits").mkdir(parents=True, exist_ok=True)
    for split, pair in pairs.items():
        (root / "splits" / f"{split}.json").write_text(json.dumps([pair]))
