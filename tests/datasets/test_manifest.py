"""Manifests: what a row may say, what is guessed where it does not, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import VideoRecord


def find(root: Path, text: str, role: str = "train", **settings: Any) -> list[VideoRecord]:
    (root / "manifest.csv").write_text(text, encoding="utf-8")
    return find_videos(DatasetParams(layout="manifest", root=str(root), **settings), role=role)


def rows(count: int, columns: str = "path,label,source", row: str = "{0}.mp4,0,{0}\nfake{0}.mp4,1,{0}\n") -> str:
    return f"{columns}\n" + "".join(row.format(number) for number in range(count))


@pytest.fixture
def files(tmp_path: Path, plant: Any) -> Path:
    plant([f"{name}{number}.mp4" for name in ("", "fake") for number in range(20)])
    plant(["a.jpg", "b.PNG", "c.xyz"])
    return tmp_path


def test_path_and_label_are_enough_and_unknown_columns_are_ignored(files: Path) -> None:
    videos = find(files, rows(20, "\ufeffpath,label,weather", "{0}.mp4,0,sun\nfake{0}.mp4,1,rain\n"))
    assert len(videos) == 40
    assert str(videos[0].key) == "manifest/fake/fake0"
    assert str(videos[-1].key) == "manifest/original/9"
    assert {video.kind for video in videos} == {"video"}
    assert len({video.cluster for video in videos}) == 40


def test_equal_names_in_several_folders_are_nobody_in_common(tmp_path: Path, plant: Any) -> None:
    places = [f"{split}/{kind}/1.jpg" for split in ("train", "val", "test") for kind in ("real", "fake")]
    plant(places)
    lines = [f"{place},{int('fake' in place)},{place.split('/')[0]},{place.split('/')[0]}" for place in places]
    videos = find(tmp_path, "\n".join(["path,label,split,video", *lines]) + "\n")
    assert len({video.cluster for video in videos}) == 6, "those of one name are of one folder, and still two people"


def test_a_fake_shares_split_and_cluster_with_the_video_it_was_made_from(files: Path) -> None:
    videos = find(files, rows(20))
    by_name = {video.key.video: video for video in videos}
    for number in range(20):
        real, fake = by_name[str(number)], by_name[f"fake{number}"]
        assert (real.split, real.cluster) == (fake.split, fake.cluster)
    assert [sum(video.split == split for video in videos) for split in ("train", "val", "test")] == [28, 4, 8]


def test_a_source_may_be_the_file_of_the_original(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_file = find(files, rows(20, row="{0}.mp4,0,{0}\nfake{0}.mp4,1,originals/{0}.mp4\n"))
    assert by_file == find(files, rows(20))
    assert capsys.readouterr().err == ""
    find(files, rows(20, row="{0}.mp4,0,{0}\nfake{0}.mp4,1,v{0}\n"))
    assert "fakes whose source is no real video of it: 20 (first: manifest/fake/fake0)" in capsys.readouterr().err


def test_identities_go_before_source_and_tie_people_together(files: Path) -> None:
    text = rows(20, "path,label,identities,source", "{0}.mp4,0,p{0},x\nfake{0}.mp4,1,p{0}; q{0},x\n")
    videos = find(files, text.replace("fake1.mp4,1,p1; q1", "fake1.mp4,1,p1;p2"))
    assert len({video.cluster for video in videos}) == 19
    assert {video.cluster for video in videos if video.key.video in ("1", "2", "fake1", "fake2")} == {"p1"}


def test_as_cross_dataset_every_row_is_for_test(files: Path) -> None:
    text = rows(3, "path,label,split", "{0}.mp4,0,train\nfake{0}.mp4,1,val\n")
    assert {video.split for video in find(files, text, role="cross")} == {"test"}


def test_a_rows_kind_goes_before_the_datasets_kind_and_that_before_the_suffix(files: Path) -> None:
    text = "path,label,kind\na.jpg,0,\nb.PNG,1,image\n0.mp4,0,video\n"
    assert {video.path.name: video.kind for video in find(files, text, role="cross", kind="crop")} == {
        "a.jpg": "crop",
        "b.PNG": "image",
        "0.mp4": "video",
    }
    kinds = [(video.path.name, video.kind) for video in find(files, text.replace("image", ""), role="cross")]
    assert sorted(kinds) == [("0.mp4", "video"), ("a.jpg", "image"), ("b.PNG", "image")]


def test_groups_come_from_the_manifest(files: Path) -> None:
    videos = find(files, "path,label,skin_tone,light\n0.mp4,0,dark,dim\nfake0.mp4,1,,\n", role="cross")
    assert {(video.key.video, video.skin_tone, video.light) for video in videos} == {
        ("0", "dark", "dim"),
        ("fake0", "", ""),
    }


def test_another_manifest_can_be_named(files: Path) -> None:
    (files / "mine.csv").write_text(rows(3))
    params = DatasetParams(layout="manifest", root=str(files), manifest="mine.csv")
    assert len(find_videos(params, role="cross")) == 6


GOOD = rows(3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"manifest\.csv: no column path and label"),
        ("path,class\n", "no column label; its columns are"),
        (GOOD + "4.mp4,2,4\n", "line 8: label '2'; expected 0"),
        (GOOD + "4.mp4,fake,4\n", "line 8: label 'fake'"),
        (GOOD + "4.mp4\n", "line 8: label ''"),
        (GOOD + "../4.mp4,1,4\n", r"line 8: path '\.\./4\.mp4'; expected a path below"),
        (GOOD + "/etc/passwd,1,4\n", "line 8: path '/etc/passwd'; expected a path below"),
        (GOOD + ",1,4\n", "line 8: path ''"),
        (GOOD + "0.mp4,1,4\n", r"line 8: 0\.mp4 is in line 2 already"),
        (GOOD + "c.xyz,1,4\n", r"line 8: path '.*c\.xyz' is of no known kind; say it in a column `kind`"),
        (GOOD + "98.mp4,1,4\n99.mp4,1,4\n", r"files that are not there: 2 \(first: .*98\.mp4\)"),
        (GOOD + "no/98.mp4,1,4\n", r"files that are not there: 1 \(first: .*no/98\.mp4\)"),
        (
            "path,label,video\n0.mp4,0,x\n1.mp4,0,x\nfake0.mp4,1,y\n",
            r"manifest/original/x is both .*0\.mp4 and .*1\.mp4",
        ),
        ("path,label,split\n0.mp4,0,train\n1.mp4,0,\n", r"rows without a split: 1 \(first: manifest/original/1\)"),
        ("path,label,split\n0.mp4,0,training\n", "line 2: split 'training'; expected train, val, test"),
        ("path,label,kind\n0.mp4,0,film\n", "line 2: kind 'film'; expected video, image, crop"),
        ("path,label,method\n0.mp4,0,a/b\n", "line 2: method 'a/b'"),
        ("path,label,source,split\n0.mp4,0,0,train\nfake0.mp4,1,0,test\n", "identity 0 is in two splits"),
        (rows(3, row="{0}.mp4,0,{0}\n"), "needs both kinds there"),
        ("path,label\n", r"no videos for datasets\.train"),
    ],
)
def test_a_faulty_manifest_is_refused_with_what_would_be_right(files: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        find(files, text)


def test_a_manifest_that_is_missing_or_not_text_is_refused(files: Path) -> None:
    params = DatasetParams(layout="manifest", root=str(files))
    with pytest.raises(DataError, match=r"manifest\.csv: No such file"):
        find_videos(params, role="train")
    (files / "manifest.csv").write_bytes(b"path,label\n\xff\xfe,0\n")
    with pytest.raises(DataError, match=r"manifest\.csv: not a CSV file in UTF-8"):
        find_videos(params, role="train")


def test_it_is_said_when_nothing_tells_people_apart(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    find(files, rows(3), role="cross")
    assert not capsys.readouterr().err
    find(files, rows(3, "path,label", "{0}.mp4,0\nfake{0}.mp4,1\n"), role="cross")
    assert "every video counts as a person of its own" in capsys.readouterr().err
