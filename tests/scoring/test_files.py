"""Which files are looked at, and what is said of those that cannot be."""

import os
from pathlib import Path

from deepfake.scoring.files import find_media


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def faults(*paths: Path) -> dict[str, str]:
    return {media.path.name: media.fault for media in find_media(paths)[0]}


def test_a_folder_gives_its_videos_and_pictures_in_order_without_hidden_and_other_files(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b.mp4", "a/c.PNG", "notes.txt", ".hidden.mp4", ".work/d.mp4")))
    found, others = find_media([tmp_path])
    assert others == [tmp_path / "notes.txt"]
    assert [(media.path.relative_to(tmp_path).as_posix(), media.kind) for media in found] == [
        ("a/c.PNG", "image"), ("b.mp4", "video"),
    ]  # fmt: skip


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    touch(tmp_path / "clip.unknown")
    assert faults(tmp_path / "clip.unknown") == {"clip.unknown": ""}


def test_a_file_named_twice_is_looked_at_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")
    assert len(find_media([tmp_path / "a.mp4", tmp_path])[0]) == 1


def test_the_pictures_of_an_earlier_run_are_not_looked_at(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "answers/001_a.png")
    assert [media.path for media in find_media([tmp_path], but=tmp_path / "answers")[0]] == [tmp_path / "a.mp4"]


def test_what_cannot_be_looked_at_has_a_reason_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling.mp4").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "to_pipe.mp4").symlink_to("pipe.mp4")
    touch(tmp_path / "good.mp4")
    names = ("empty", "dangling.mp4", "pipe.mp4", "to_pipe.mp4", "missing.mp4", "good.mp4")
    assert faults(*(tmp_path / name for name in names)) == {
        "empty": "no video or picture in this folder", "dangling.mp4": "a link that leads nowhere",
        "pipe.mp4": "not a plain file", "to_pipe.mp4": "not a plain file",
        "missing.mp4": "no such file", "good.mp4": "",
    }  # fmt: skip


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "real/a.mp4", tmp_path / "elsewhere/b.mp4")
    (tmp_path / "real/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/up").symlink_to(tmp_path / "real")
    assert faults(tmp_path / "real") == {"a.mp4": "", "b.mp4": ""}
