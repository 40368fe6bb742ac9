"""DFDC's metadata becomes a manifest that the manifest layout reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from convert_dfdc import main
from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams

FAKE = {"label": "FAKE", "split": "train", "original": "real.mp4"}
REAL = {"label": "REAL", "split": "train", "original": None}


def write_part(folder: Path, metadata: dict[str, Any], plant: Any) -> None:
    plant(str(folder / name) for name in metadata)
    (folder / "metadata.json").write_text(json.dumps(metadata))


@pytest.fixture
def parts(tmp_path: Path, plant: Any) -> list[Path]:
    folders = [tmp_path / "videos" / f"dfdc_train_part_{number}" for number in range(3)]
    for number, folder in enumerate(folders):
        fake = FAKE | {"original": f"real{number}.mp4"}
        write_part(folder, {f"real{number}.mp4": REAL, f"a{number}.mp4": fake, f"b{number}.mp4": fake}, plant)
    return folders


def test_an_original_and_its_fakes_stay_together(parts: list[Path], tmp_path: Path) -> None:
    main([*map(str, parts), "--out", str(tmp_path / "manifest.csv")])
    videos = find_videos(DatasetParams(layout="manifest", root=str(tmp_path)), role="train")
    assert len(videos) == 9
    assert all(video.label == (video.key.method == "dfdc") for video in videos)
    assert {(video.key.video[-1], video.cluster) for video in videos} == {(str(n), f"real{n}") for n in range(3)}
    assert len({(video.cluster, video.split) for video in videos}) == 3


def test_a_part_named_twice_is_read_once(parts: list[Path], tmp_path: Path) -> None:
    main([str(parts[0]), str(parts[0]), "--out", str(tmp_path / "manifest.csv")])
    assert len(find_videos(DatasetParams(layout="manifest", root=str(tmp_path)), role="cross")) == 3


def test_dfdcs_own_table_is_not_written_over(parts: list[Path]) -> None:
    table = parts[0] / "metadata.json"
    before = table.read_bytes()
    with pytest.raises(DataError, match=r"a \.csv file would be right"):
        main([str(parts[0]), "--out", str(table)])
    assert table.read_bytes() == before


def test_videos_that_are_not_there_are_left_out_with_a_note(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (parts[0] / "a0.mp4").unlink()
    main([*map(str, parts), "--out", str(tmp_path / "manifest.csv")])
    captured = capsys.readouterr()
    assert "1 videos of its metadata.json are not there" in captured.err
    assert "3 real and 5 fake" in captured.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a.mp4": ', r"metadata\.json: Invalid JSON"),
        ('{"a.mp4": {"label": "MAYBE"}}', r"metadata\.json: a\.mp4\.label: Input should be 'REAL' or 'FAKE'"),
        ('{"a.mp4": {}}', r"a\.mp4\.label: Field required"),
        ("{}", "no video that its metadata.json names is there"),
        (None, "metadata.json: No such file"),
    ],
)
def test_metadata_that_is_not_dfdcs_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(DataError, match=message):
        main([str(tmp_path), "--out", str(tmp_path / "manifest.csv")])


def test_a_folder_of_links_to_parts_will_do_and_a_folder_as_manifest_will_not(
    parts: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "part").symlink_to(parts[0])
    main([str(tmp_path / "links" / "part"), "--out", str(tmp_path / "links" / "manifest.csv")])
    assert "\npart/" in (tmp_path / "links" / "manifest.csv").read_text()
    with pytest.raises(DataError, match=r"links: a folder; a file in it would be right"):
        main([str(parts[0]), "--out", str(tmp_path / "links")])


def test_a_part_outside_the_manifests_folder_is_refused(parts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dfdc_train_part_0: not below .*elsewhere"):
        main([str(parts[0]), "--out", str(tmp_path / "elsewhere" / "manifest.csv")])
