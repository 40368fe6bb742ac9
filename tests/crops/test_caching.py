from pathlib import Path

import numpy as np
import pytest
from crop_folders import face_video

from deepfake.crops import caching
from deepfake.crops.caching import cut_videos, write_crops
from deepfake.crops.shards import CropSet, open_crops, require_both_classes, shard_of, shard_path
from deepfake.errors import DataError
from deepfake.params import CropsParams
from deepfake.records import FaceBox, FaceVideo
from deepfake.video.encoding import write_h264

PARAMS = CropsParams(size=32, margin=1.5, shards=2)


@pytest.fixture
def dataset(tmp_path: Path) -> tuple[list[FaceVideo], list[FaceBox], Path]:
    root = tmp_path / "root"
    keys = [f"set/{method}/{number}" for method in ("original", "A") for number in range(6)]
    rng = np.random.default_rng(0)
    for key in keys:
        frames = np.repeat(rng.integers(0, 256, (6, 6, 8, 3), dtype=np.uint8), 20, axis=1).repeat(20, axis=2)
        write_h264(root / f"{key}.mp4", frames, crf=20)
    faces = [FaceBox(key, clip, 3 * clip, 40, 40, 80, 80, 1.0) for key in keys for clip in range(2)]
    return [face_video(key, frames=2) for key in keys], faces, root


def cache(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], out: Path, params: CropsParams = PARAMS, workers: int = 2,
    work: str = "work",
) -> CropSet:  # fmt: skip
    videos, faces, root = dataset
    cut = list(cut_videos(videos, faces, params, root=root, work=out.parent / work, workers=workers))
    out.mkdir()
    write_crops(out, videos, cut, params)
    return open_crops(out)


def shard_bytes(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_the_index_finds_every_crop_of_every_video(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path
) -> None:
    crops = cache(dataset, tmp_path / "crops")
    assert len(crops.rows) == 24
    assert len({(row.shard, row.row) for row in crops.rows}) == 24
    assert sum(len(shard) for shard in crops.shards.values()) == 24
    assert all(row.shard == shard_of(row.video, PARAMS.shards) for row in crops.rows)
    assert {len(clip) for clip in crops.clips()} == {1}


def test_threads_and_a_second_run_change_no_byte(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path
) -> None:
    cache(dataset, tmp_path / "one", workers=1)
    cache(dataset, tmp_path / "two", workers=3, work="another")
    cache(dataset, tmp_path / "again", workers=3)
    assert shard_bytes(tmp_path / "one") == shard_bytes(tmp_path / "two") == shard_bytes(tmp_path / "again")


def test_a_second_run_decodes_nothing(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache(dataset, tmp_path / "one")
    monkeypatch.setattr(caching, "map_frames", lambda *_: pytest.fail("decoded again"))
    cache(dataset, tmp_path / "two")
    with pytest.raises(pytest.fail.Exception):
        cache(dataset, tmp_path / "three", PARAMS.model_copy(update={"size": 48}))


def test_entries_that_a_power_cut_emptied_are_made_again(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path
) -> None:
    cache(dataset, tmp_path / "one")
    for entry in (tmp_path / "work").iterdir():
        entry.write_bytes(b"")
    cache(dataset, tmp_path / "two")
    assert shard_bytes(tmp_path / "one") == shard_bytes(tmp_path / "two")


def test_a_new_video_changes_one_shard_only(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path
) -> None:
    videos, faces, root = dataset
    before, after = tmp_path / "before", tmp_path / "after"
    homes = [shard_of(video.video, PARAMS.shards) for video in videos]
    assert min(homes.count(0), homes.count(1)) >= 2, "both shards must have other videos"
    new = videos[-1].video
    cache((videos[:-1], [face for face in faces if face.video != new], root), before)
    cache(dataset, after)
    touched = shard_of(new, PARAMS.shards)
    same, changed = shard_path(after, 1 - touched).name, shard_path(after, touched).name
    assert (before / same).read_bytes() == (after / same).read_bytes()
    assert (before / changed).read_bytes() != (after / changed).read_bytes()


def test_a_split_with_one_class_is_named(dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path) -> None:
    videos, faces, root = dataset
    crops = cache((videos, [face for face in faces if "original" in face.video], root), tmp_path / "crops")
    with pytest.raises(DataError, match="no crop of a fake video in split 'train'"):
        require_both_classes(crops, ["train"], tmp_path)


@pytest.mark.parametrize("damage", ["missing", "truncated", "shape"])
def test_a_damaged_shard_is_named(
    dataset: tuple[list[FaceVideo], list[FaceBox], Path], tmp_path: Path, damage: str
) -> None:
    cache(dataset, tmp_path / "crops")
    path = shard_path(tmp_path / "crops", 0)
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        np.save(path, np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"shard_000\.npy"):
        open_crops(tmp_path / "crops")
