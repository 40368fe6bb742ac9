"""attributes.csv for every layout, and the adapters on real datasets where they are at hand."""

import os
from collections import Counter
from pathlib import Path

import pytest

from deepfake.datasets import find_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams

METHODS = ("original", "Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("DEEPFAKE_TEST_DATA")
    if not folder:
        pytest.skip("DEEPFAKE_TEST_DATA names no folder with real datasets")
    return Path(folder)


def test_attributes_fill_the_groups_of_the_videos_they_name(ffpp: Path) -> None:
    (ffpp / "attributes.csv").write_text(
        "method,video,light,skin_tone,id\noriginal,000,dim,dark,9\nFaceSwap,000_001,lit,,9\n"
    )
    videos = find_videos(DatasetParams(layout="ffpp", root=str(ffpp)), role="train")
    groups = {str(video.key): (video.skin_tone, video.light) for video in videos if video.skin_tone or video.light}
    assert groups == {"ffpp/original/000": ("dark", "dim"), "ffpp/FaceSwap/000_001": ("", "lit")}


def test_celebdfs_folders_are_its_methods_in_attributes(celebdf: Path) -> None:
    (celebdf / "attributes.csv").write_text("method,video,skin_tone\nCeleb-real,id0_0000,dark\n")
    videos = find_videos(DatasetParams(layout="celebdf", root=str(celebdf)), role="cross")
    assert [video.skin_tone for video in videos] == ["dark", "", ""]


def test_attributes_of_other_videos_are_said_to_be_of_no_use(ffpp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ffpp / "attributes.csv").write_text("method,video,skin_tone\nyoutube,000.mp4,dark\n")
    find_videos(DatasetParams(layout="ffpp", root=str(ffpp)), role="train")
    assert "attributes.csv is of no use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,light\n", "attributes.csv: no column method"),
        ("method,video,light\noriginal,000,a\noriginal,000,b\n", "line 3: original/000 has a row already"),
    ],
)
def test_faulty_attributes_are_refused(ffpp: Path, text: str, message: str) -> None:
    (ffpp / "attributes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        find_videos(DatasetParams(layout="ffpp", root=str(ffpp)), role="train")


def test_real_faceforensics_gives_two_videos_per_method_and_split(real_data: Path) -> None:
    videos = find_videos(DatasetParams(layout="ffpp", root=str(real_data / "ffpp_mini")), role="train")
    expected = {(method, split): 2 for method in METHODS for split in ("train", "val", "test")}
    assert Counter((video.key.method, video.split) for video in videos) == expected
    assert {video.cluster for video in videos} == {"183", "469", "585"}


def test_real_dfdc_crops_are_read_as_they_are(real_data: Path) -> None:
    params = DatasetParams(layout="manifest", root=str(real_data / "dfdc_mini"), kind="crop")
    videos = find_videos(params, role="train")
    expected = {("train", label): 3600 for label in (0, 1)} | {("val", label): 400 for label in (0, 1)}
    expected |= {("test", label): 600 for label in (0, 1)}
    assert Counter((video.split, video.label) for video in videos) == expected
    assert {video.kind for video in videos} == {"crop"}
    assert len({video.cluster for video in videos}) == 4600
