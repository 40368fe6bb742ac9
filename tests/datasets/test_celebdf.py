"""Celeb-DF v2: the test list, whose 1 means real, and whose people are kept apart in training."""

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import VideoRecord

LIST = "List_of_testing_videos.txt"


def find(root: Path, role: str = "cross") -> list[VideoRecord]:
    return find_videos(DatasetParams(layout="celebdf", root=str(root)), role=role)


def test_as_cross_dataset_it_is_the_listed_videos_with_their_folders_labels(celebdf: Path) -> None:
    videos = find(celebdf)
    assert [(str(video.key), video.label, video.split) for video in videos] == [
        ("celebdf/Celeb-real/id0_0000", 0, "test"),
        ("celebdf/Celeb-synthesis/id1_id0_0000", 1, "test"),
        ("celebdf/YouTube-real/00002", 0, "test"),
    ]
    assert all(video.path.is_file() for video in videos)


@pytest.mark.parametrize("role", ["train", "cross"])
def test_two_files_of_one_video_are_refused(celebdf: Path, role: str) -> None:
    path = next(path for path in (celebdf / "Celeb-real").rglob("id0_0000.*"))
    shutil.copy(path, path.with_suffix(".avi"))
    with pytest.raises(DataError, match="id0_0000"):
        find(celebdf, role=role)


def test_the_cluster_is_the_person_whose_video_it_is(celebdf: Path) -> None:
    clusters = {str(video.key): video.cluster for video in find(celebdf, role="train")}
    assert clusters["celebdf/Celeb-synthesis/id1_id0_0000"] == clusters["celebdf/Celeb-real/id1_0000"] == "id1"
    assert clusters["celebdf/Celeb-real/id0_0000"] == "id0"
    assert len({cluster for key, cluster in clusters.items() if "YouTube" in key}) == 4


def test_trained_on_it_uses_all_videos_and_no_person_is_in_two_splits(celebdf: Path) -> None:
    videos = find(celebdf, role="train")
    splits: dict[str, set[str]] = defaultdict(set)
    for video in videos:
        for person in re.findall(r"id\d+", video.key.video):
            splits[person].add(video.split)
    assert (len(videos), len(splits)) == (20, 8)
    assert all(len(its) == 1 for its in splits.values())
    assert {video.split for video in videos if video.label} == {"train", "val", "test"}


def test_a_videos_level_and_another_capitalisation_change_nothing(celebdf: Path) -> None:
    expected = [(video.key, video.label) for video in find(celebdf)]
    for folder, name in (("Celeb-real", "Celeb-real"), ("YouTube-real", "Youtube-real")):
        (celebdf / folder).rename(celebdf / "moved")
        shutil.copytree(celebdf / "moved", celebdf / name / "videos")
        shutil.rmtree(celebdf / "moved")
    assert [(video.key, video.label) for video in find(celebdf)] == expected


def test_hidden_files_are_no_videos(celebdf: Path) -> None:
    (celebdf / "YouTube-real" / "._00000.mp4").touch()
    assert len(find(celebdf, role="train")) == 20


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 Celeb-real/id0_0000.mp4", "line 1: '0 Celeb-real/id0_0000.mp4'; expected .* means real"),
        ("1 Celeb-synthesis/id1_id0_0000.mp4", "line 1: .* expected"),
        ("2 Celeb-real/id0_0000.mp4", "line 1: .* expected"),
        ("Celeb-real/id0_0000.mp4", "line 1: .* expected"),
        ("1 Celebs/id0_0000.mp4", "line 1: .* expected"),
        ("1 Celeb-real/id0_0099.mp4", r"not there: 1 \(first: Celeb-real/id0_0099.mp4\)"),
        ("1 Celeb-real/id0_0000.mp4", "split test has 1 real and 0 fake"),
        ("", "no videos for datasets.cross"),
    ],
)
def test_a_faulty_list_is_refused_with_what_would_be_right(celebdf: Path, line: str, message: str) -> None:
    (celebdf / LIST).write_text(line + "\n")
    with pytest.raises(DataError, match=message):
        find(celebdf)


def test_a_missing_list_an_unknown_name_and_an_empty_folder_are_refused(celebdf: Path, tmp_path: Path) -> None:
    (celebdf / LIST).unlink()
    with pytest.raises(DataError, match=f"{LIST}: no such file; it comes with Celeb-DF"):
        find(celebdf)
    (celebdf / "Celeb-synthesis" / "id0_0000.mp4").touch()
    with pytest.raises(DataError, match=r"id0_0000\.mp4: not a Celeb-DF name"):
        find(celebdf, role="train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: no videos; expected Celeb-real/\*\.mp4"):
        find(tmp_path / "empty")
