"""FaceForensics++: which files are videos, in which split they are, and what is wrong with a folder."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import VideoRecord

METHODS = ("original", "Deepfakes", "FaceSwap")


def find(root: Path, role: str = "train", **settings: Any) -> list[VideoRecord]:
    return find_videos(DatasetParams(layout="ffpp", root=str(root), **settings), role=role)


def test_the_official_tree_gives_originals_and_every_method_in_its_split(ffpp: Path) -> None:
    videos = find(ffpp)
    expected = {(method, split): 2 for method in METHODS for split in ("train", "val", "test")}
    assert Counter((video.key.method, video.split) for video in videos) == expected
    assert all(video.path.is_file() and "c23" in video.path.parts for video in videos)
    assert all(video.label == (video.key.method != "original") for video in videos)
    assert videos == sorted(videos, key=lambda video: video.key)


def test_both_people_of_a_pair_are_one_cluster(ffpp: Path) -> None:
    clusters = {(video.split, video.cluster) for video in find(ffpp)}
    assert clusters == {("train", "000"), ("val", "002"), ("test", "004")}


def test_as_cross_dataset_it_is_its_official_test_split(ffpp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ffpp / "splits" / "train.json").unlink()
    videos = find(ffpp, role="cross")
    assert Counter(video.key.method for video in videos) == dict.fromkeys(METHODS, 2)
    assert {video.key.video for video in videos} == {"004", "005", "004_005", "005_004"}
    assert {video.split for video in videos} == {"test"}
    assert not capsys.readouterr().err


@pytest.mark.parametrize("level", ["", "videos/", "c23/", "c23/videos/"])
def test_a_flat_mirror_gives_the_same_videos_as_the_official_tree(ffpp: Path, level: str) -> None:
    expected = [(video.key, video.label, video.split, video.cluster) for video in find(ffpp)]
    sequences = {"original": ffpp / "original_sequences/youtube"}
    sequences |= {
        name: ffpp / "manipulated_sequences" / name for name in ("Deepfakes", "FaceSwap", "DeepFakeDetection")
    }
    for name, folder in sequences.items():
        shutil.copytree(folder / "c23/videos", ffpp / name / level, dirs_exist_ok=True)
    shutil.rmtree(ffpp / "original_sequences")
    shutil.rmtree(ffpp / "manipulated_sequences")
    (ffpp / "csv").mkdir()
    assert [(video.key, video.label, video.split, video.cluster) for video in find(ffpp)] == expected


def test_methods_and_compression_can_be_chosen(ffpp: Path) -> None:
    assert {video.key.method for video in find(ffpp, methods=("FaceSwap",))} == {"original", "FaceSwap"}
    shutil.copytree(ffpp / "original_sequences/youtube/c23", ffpp / "original_sequences/youtube/c40")
    videos = find(ffpp, compression="c40")
    assert {video.key.method for video in videos} == {"original", "FaceSwap"}
    assert all("c40" in video.path.parts for video in videos)


def test_a_method_that_lacks_the_compression_is_left_out_with_a_note(
    ffpp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ffpp / "original_sequences/youtube/c23", ffpp / "original_sequences/youtube/c40")
    find(ffpp, compression="c40")
    assert "Deepfakes is left out: it has c23 and not c40" in capsys.readouterr().err


def test_videos_in_no_split_are_left_out_with_one_note(
    ffpp: Path, plant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(["original_sequences/youtube/c23/videos/777.mp4", "manipulated_sequences/FaceSwap/c23/videos/000_777.mp4"])
    assert len(find(ffpp)) == 18
    assert capsys.readouterr().err.count("in no split file: 2 (first: ") == 1


def remove(name: str) -> Any:
    def fault(root: Path) -> None:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return fault


def write(name: str, text: str) -> Any:
    return lambda root: (root / name).write_text(text)


@pytest.mark.parametrize(
    ("fault", "settings", "message"),
    [
        (remove("splits/val.json"), {}, r"splits/val\.json: no such file; the official split files are at"),
        (write("splits/val.json", '[["002"'), {}, r"splits/val\.json: expected JSON pairs of ids like"),
        (write("splits/val.json", '{"002": "003"}'), {}, r"splits/val\.json: expected JSON pairs"),
        (write("splits/val.json", "[[2, 3]]"), {}, r"splits/val\.json: expected JSON pairs"),
        (write("splits/val.json", "[]"), {}, "split val has 0 real and 0 fake"),
        (write("splits/test.json", '[["004", "000"]]'), {}, r"test\.json: id 000 is in train\.json too"),
        (write("splits/test.json", '[["004", "009"]]'), {}, "split test has 1 real and 0 fake"),
        (write("splits/val.json", '[["002", "003"], ["004", "005"]]'), {}, r"test\.json: id 004 is in val\.json too"),
        (remove("original_sequences"), {}, "original_sequences/youtube: no videos; expected c23/videos/000.mp4"),
        (remove("manipulated_sequences"), {}, "<Method>: no videos; expected c23/videos/000_003.mp4"),
        (Path.exists, {"compression": "c40"}, r"datasets\.train\.compression could be c23"),
        (Path.exists, {"methods": ("Face2Face",)}, "Face2Face: no videos; expected c23"),
        (Path.exists, {"methods": ("DeepFakeDetection",)}, "DeepFakeDetection: no videos"),
        (shutil.rmtree, {}, r"no such folder; datasets\.train\.root names a dataset with the ffpp layout"),
    ],
)
def test_a_faulty_folder_is_refused_with_what_would_be_right(
    ffpp: Path, fault: Any, settings: dict[str, Any], message: str
) -> None:
    fault(ffpp)
    with pytest.raises(DataError, match=message):
        find(ffpp, **settings)


def test_a_forgery_across_two_splits_is_refused(ffpp: Path, plant: Any) -> None:
    plant(["manipulated_sequences/FaceSwap/c23/videos/000_004.mp4"])
    with pytest.raises(DataError, match=r"identity 004 is in two splits: ffpp/.* in .* and ffpp/.* in .*"):
        find(ffpp)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not FaceForensics\\+\\+: neither original_sequences/ nor original/ is there"):
        find(tmp_path)
