"""Real MTCNN on rendered people."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from toy_project import Project

from deepfake.crops import caching
from deepfake.errors import MediaError
from deepfake.faces import extraction
from deepfake.faces.extraction import NO_FACE, FoundFaces, extract_faces
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.params import FacesParams, load_params
from deepfake.records import Kind, Split, VideoKey, VideoRecord
from deepfake.video import decoding, pictures
from deepfake.video.decoding import decode_video
from deepfake.video.encoding import write_h264


@pytest.fixture(scope="module")
def params(toy: Project) -> FacesParams:
    return load_params(toy.root / "params.yaml").faces


@pytest.fixture(scope="module")
def finder(params: FacesParams) -> FaceFinder:
    return FaceFinder(params, torch.device("cpu"))


@pytest.fixture(scope="module")
def person(toy: Project) -> list[np.ndarray]:
    """All frames of one rendered video."""
    folder = toy.root / "data/raw/sample/ffpp/original_sequences/youtube/c23/videos"
    return decode_video(sorted(folder.iterdir())[0].read_bytes())


def record(path: Path, *, kind: Kind = "video", split: Split = "test") -> VideoRecord:
    return VideoRecord(VideoKey("set", "original", path.stem), path, kind, 0, split, "a")


def extract(path: Path, finder: FaceFinder, params: FacesParams, work: Path, *, kind: Kind = "video") -> FoundFaces:
    (found,) = extract_faces([record(path, kind=kind)], finder, params, work=work, workers=1)
    return found


def test_one_person_is_one_face_of_sensible_size(person: list[np.ndarray], finder: FaceFinder) -> None:
    for detections in finder.find(person[:4]):
        assert len(detections) == 1
        box = detections[0].box
        assert 60 < box.y1 - box.y0 < 180
        assert detections[0].probability > 0.95


def test_two_people_in_a_frame_are_two_faces(person: list[np.ndarray], finder: FaceFinder) -> None:
    (detections,) = finder.find([np.concatenate([person[0], person[0]], axis=1)])
    assert len(detections) == 2


@pytest.mark.parametrize("shape", [(240, 320), (20, 20), (1, 1), (39, 400)], ids=str)
def test_no_face_is_an_empty_list_even_in_tiny_frames(shape: tuple[int, int], finder: FaceFinder) -> None:
    assert finder.find([np.full((*shape, 3), 90, np.uint8)] * 2) == [[], []]


def test_shrinking_bounds_the_longer_side_and_leads_back() -> None:
    small, factor = shrink(np.zeros((720, 1280, 3), np.uint8), 480)
    assert small.shape == (270, 480, 3)
    assert factor == pytest.approx(1280 / 480)
    assert shrink(np.zeros((100, 200, 3), np.uint8), 480)[1] == 1.0


def test_boxes_are_in_pixels_of_the_original_frame(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path
) -> None:
    large = [cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC) for frame in person]
    write_h264(tmp_path / "small.mp4", person, crf=10)
    write_h264(tmp_path / "large.mp4", large, crf=10)
    small, big = (extract(tmp_path / name, finder, params, tmp_path / "work") for name in ("small.mp4", "large.mp4"))
    assert len(small.boxes) == len(big.boxes) > 0
    for a, b in zip(small.boxes, big.boxes, strict=True):
        assert np.allclose(np.array(a.box) * 3, b.box, atol=0.15 * 3 * (a.box.y1 - a.box.y0))


def test_the_frames_of_a_clip_share_one_box(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path
) -> None:
    write_h264(tmp_path / "clip.mp4", person, crf=10)
    found = extract(tmp_path / "clip.mp4", finder, params, tmp_path / "work")
    assert (found.frames_wanted, found.frames_found, found.reason) == (4, 4, "")
    assert len({face.box for face in found.boxes}) == 1
    assert [face.frame for face in found.boxes] == [2, 3, 4, 5]


def test_a_video_without_a_face_says_so(finder: FaceFinder, params: FacesParams, tmp_path: Path) -> None:
    write_h264(tmp_path / "wall.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 6, crf=20)
    assert extract(tmp_path / "wall.mp4", finder, params, tmp_path / "work") == FoundFaces(4, 0, NO_FACE, ())


def test_a_video_that_breaks_off_is_used_as_far_as_it_goes(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path
) -> None:
    data = BytesIO()
    with av.open(data, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "4"})
        stream.height, stream.width = person[0].shape[:2]
        for frame in person * 6:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    path = tmp_path / "cut.mkv"
    path.write_bytes(data.getvalue()[: len(data.getvalue()) // 3])
    found = extract(path, finder, params, tmp_path / "work")
    assert found.frames_found == 4


def test_a_face_crop_is_taken_as_it_is(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "crop.png"), person[0])
    found = extract(tmp_path / "crop.png", finder, params, tmp_path / "work", kind="crop")
    assert [tuple(face.box) for face in found.boxes] == [(0, 0, 320, 240)]


def test_a_second_run_decodes_nothing(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_h264(tmp_path / "clip.mp4", person, crf=10)
    first = extract(tmp_path / "clip.mp4", finder, params, tmp_path / "work")
    monkeypatch.setattr(extraction, "map_frames", lambda *_: pytest.fail("decoded again"))
    assert extract(tmp_path / "clip.mp4", finder, params, tmp_path / "work") == first
    with pytest.raises(pytest.fail.Exception):
        extract(tmp_path / "clip.mp4", finder, params.model_copy(update={"min_face": 50}), tmp_path / "work")


def test_a_fault_that_may_pass_is_not_remembered(
    person: list[np.ndarray], finder: FaceFinder, params: FacesParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_h264(tmp_path / "clip.mp4", person, crf=10)
    with monkeypatch.context() as broken:
        broken.setattr(extraction, "map_frames", raising(MediaError("cannot be read now")))
        assert extract(tmp_path / "clip.mp4", finder, params, tmp_path / "work").reason == "cannot be read now"
    assert extract(tmp_path / "clip.mp4", finder, params, tmp_path / "work").frames_found


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_what_is_remembered_depends_on_every_module_that_finds_faces() -> None:
    modules = {str(module.__file__) for module in extraction._CODE}
    found = {str(path) for path in Path(extraction.__file__).parent.glob("*.py") if path.stem != "__init__"}
    assert len(found) > 3
    assert found <= modules
    reading = {str(module.__file__) for module in (decoding, pictures)}
    assert reading <= modules
    assert reading <= {str(module.__file__) for module in caching._CODE}
