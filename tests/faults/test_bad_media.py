"""Face extraction on the corpus of bad media: everything is scored or named with its reason, at a bounded price."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from bad_media import HEIGHT, WIDTH, Medium, encode, make_corpus, person, png_of_size, turn
from checkpoints import random_checkpoint

import extract_faces as stage
import predict
from deepfake.detector.checkpoint import save_checkpoint
from deepfake.errors import DataError, MediaError
from deepfake.faces.extraction import FoundFaces, extract_faces
from deepfake.faces.mtcnn import FaceFinder
from deepfake.params import Params, load_params
from deepfake.records import Box, FaceBox, FaceVideo, VideoKey, VideoRecord
from deepfake.tables import read_rows
from deepfake.video import decoding
from deepfake.video.decoding import encoded_frame_count, map_frames, read_frames
from deepfake.video.pictures import read_image

ROOT = Path(__file__).parents[2]
NO_FILES = {"pipe.mp4": "not a plain file", "zero.mp4": "not a plain file", "folder.mp4": "not a plain file",
            "dangling.mp4": "no such file", "loop.mp4": "symbolic links"}  # fmt: skip


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def finder(params: Params) -> FaceFinder:
    return FaceFinder(params.faces, torch.device("cpu"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Medium]:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def tables(
    corpus: list[Medium], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, FaceVideo], list[FaceBox]]:
    """What the stage itself writes about the corpus and about entries of the folder that are no files at all."""
    root = corpus[0].path.parent
    os.mkfifo(root / "pipe.mp4")
    (root / "folder.mp4").mkdir()
    for name, target in (("zero", "/dev/zero"), ("dangling", "gone.mp4"), ("loop", "loop.mp4")):
        (root / f"{name}.mp4").symlink_to(target)
    rows = [(medium.path.name, medium.kind) for medium in corpus] + [(name, "video") for name in NO_FILES]
    lines = [f"{name},{name},{number % 2},{kind},{number}" for number, (name, kind) in enumerate(rows)]
    (root / "manifest.csv").write_text("\n".join(["path,video,label,kind,source", *lines]))
    out = run_stage(tmp_path_factory.mktemp("stage"), root, max_unusable=1.0)
    return {video.path: video for video in read_rows(out / "videos.csv", FaceVideo)}, read_rows(
        out / "faces.csv", FaceBox
    )


def run_stage(folder: Path, root: Path, *, max_unusable: float) -> Path:
    """Run extract_faces in a folder of its own with `root` as the cross dataset."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["datasets"]["cross"] = {"layout": "manifest", "root": str(root), "max_unusable": max_unusable}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DEEPFAKE_DEVICE", "cpu")
        stage.main(["--role", "cross", "--out", "faces"])
    return folder / "faces"


def test_every_file_is_scored_or_named_with_its_reason(
    corpus: list[Medium], tables: tuple[dict[str, FaceVideo], list[FaceBox]]
) -> None:
    videos, _ = tables
    assert len(videos) == len(corpus) + len(NO_FILES)
    for medium in corpus:
        row = videos[medium.path.name]
        assert bool(row.frames_found) == (row.reason == ""), row
        if medium.reason is not None:
            assert medium.reason in row.reason, row
            assert bool(row.reason) == bool(medium.reason), row


def test_what_is_no_file_is_named_and_not_waited_for(tables: tuple[dict[str, FaceVideo], list[FaceBox]]) -> None:
    for name, reason in NO_FILES.items():
        assert reason in tables[0][name].reason


def test_predict_has_an_answer_for_every_file(
    corpus: list[Medium], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = random_checkpoint()  # of one frame MTCNN is less sure than of eight, by how much depends on the CPU
    surer = checkpoint.faces.model_copy(update={"min_probability": 0.7})
    save_checkpoint(tmp_path / "random.pt", replace(checkpoint, faces=surer))
    files = [str(medium.path) for medium in corpus]
    assert predict.main([*files, "--model", str(tmp_path / "random.pt"), "--json"]) == predict.STATUS["unreadable"]
    answers = {answer["file"]: answer for answer in json.loads(capsys.readouterr().out)["files"]}
    assert list(answers) == files
    for medium in corpus:
        answer = answers[str(medium.path)]
        assert (answer["outcome"] == "unreadable") == bool(answer["reason"]), answer
        assert (answer["outcome"] in ("unreadable", "no face")) == (not answer["faces"]), answer
        if medium.reason is not None:
            verdicts = {"fake", "real", "inconclusive"}
            assert answer["outcome"] in {"": verdicts, "no face found": {"no face"}}.get(medium.reason, {"unreadable"})


def test_boxes_belong_to_their_own_video_in_any_order_and_with_any_number_of_threads(
    corpus: list[Medium], tables: tuple[dict[str, FaceVideo], list[FaceBox]], finder: FaceFinder, params: Params,
    tmp_path: Path,
) -> None:  # fmt: skip
    expected: dict[str, list[Box]] = {path: [] for path in tables[0]} | boxes_by_path(tables)
    again = [medium for medium in reversed(corpus) if medium.path.stat().st_size < 100_000]
    again += again[:5]  # the same file twice
    found = extract(again, finder, params, tmp_path / "work", workers=3)
    for medium, faces in zip(again, found, strict=True):
        assert [face.box for face in faces.boxes] == expected[medium.path.name], medium.path.name


def boxes_by_path(tables: tuple[dict[str, FaceVideo], list[FaceBox]]) -> dict[str, list[Box]]:
    paths = {video.video: path for path, video in tables[0].items()}
    boxes: dict[str, list[Box]] = {}
    for face in tables[1]:
        boxes.setdefault(paths[face.video], []).append(face.box)
    return boxes


def extract(
    media: list[Medium], finder: FaceFinder, params: Params, work: Path, workers: int = 1
) -> Iterator[FoundFaces]:
    records = [
        VideoRecord(VideoKey("bad", "original", str(number)), medium.path, medium.kind, 0, "test", "a")
        for number, medium in enumerate(media)
    ]
    return extract_faces(records, finder, params.faces, work=work, workers=workers)


def test_a_face_lies_where_it_was_put(tables: tuple[dict[str, FaceVideo], list[FaceBox]]) -> None:
    boxes = {path: found[0] for path, found in boxes_by_path(tables).items()}
    for name in ("hevc_10_bit.mp4", "grey.mp4", "plain.png", "cmyk.jpg", "16_bit.png", "alpha.png", "turned.jpg",
                 "turned_90.mp4", "turned_180.mp4", "turned_270.mp4", "changes_size.mkv"):  # fmt: skip
        assert np.allclose(boxes[name], boxes["one_frame.mp4"], atol=12), name
    assert np.allclose(boxes["4k.mp4"], 12 * np.array(boxes["av1.mp4"]), atol=12 * 12)
    left, top, *_ = boxes["many_faces.mp4"]
    assert np.allclose([left % WIDTH, top % HEIGHT], boxes["one_frame.mp4"][:2], atol=12)
    shifted = np.array(boxes["odd_sides.mkv"]) - [100, 0, 100, 0]
    assert np.allclose(boxes["at_the_border.mp4"], shifted, atol=12)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_gives_the_pixels_of_the_same_stream_turned_back(tmp_path: Path, degrees: int) -> None:
    stored = encode([np.rot90(frame, degrees // 90) for frame in person()])
    (tmp_path / "stored.mp4").write_bytes(stored)
    (tmp_path / "turned.mp4").write_bytes(turn(stored, degrees))
    (plain, _), (turned, _) = (read_frames(tmp_path / name, {0, 5}) for name in ("stored.mp4", "turned.mp4"))
    assert turned[0].shape == (HEIGHT, WIDTH, 3)
    assert all(np.array_equal(turned[number], np.rot90(plain[number], -degrees // 90)) for number in (0, 5))


@pytest.mark.parametrize(("max_unusable", "fails"), [(0.5, False), (0.3, True), (0.0, True)])
def test_too_many_unusable_videos_fail_the_stage_by_name(tmp_path: Path, max_unusable: float, fails: bool) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.mp4").write_bytes(encode(person()[:1]))
    (root / "b.mp4").write_bytes(b"text")
    (root / "manifest.csv").write_text("path,label\na.mp4,0\nb.mp4,1\n")
    if not fails:
        assert len(read_rows(run_stage(tmp_path, root, max_unusable=max_unusable) / "videos.csv", FaceVideo)) == 2
        return
    with pytest.raises(
        DataError, match=r"faces/videos\.csv: 1 of 2 .* datasets\.cross\.max_unusable is .*: not a video"
    ):
        run_stage(tmp_path, root, max_unusable=max_unusable)


def test_a_video_with_more_pixels_than_are_decoded_is_used_in_its_first_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.mp4").write_bytes(encode(person() * 4))
    monkeypatch.setattr(decoding, "MAX_DECODED_PIXELS", 10 * decoding._LEAST_PIXELS)
    assert encoded_frame_count(tmp_path / "long.mp4") == 32
    found, decoded = map_frames(tmp_path / "long.mp4", {9, 10}, lambda number, _: number)
    assert (found, decoded) == ({9: 9}, 10)


BOMBS = """
import sys
from pathlib import Path
from deepfake.errors import MediaError
from deepfake.video.decoding import read_frames
from deepfake.video.pictures import read_image
for name in sys.argv[1:]:
    try:
        read_image(Path(name)) if name.endswith("png") else read_frames(Path(name), {0})
    except MediaError as error:
        print(error)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads its peak memory from /proc")
def test_bombs_are_refused_before_they_fill_the_memory(corpus: list[Medium], tmp_path: Path) -> None:
    bombs = [medium.path for medium in corpus if medium.path.name in ("30000x30000.png", "claims_15000x15000.webm")]
    (tmp_path / "9000x9000.png").write_bytes(png_of_size(9000, 9000))
    command = [sys.executable, "-c", BOMBS, *map(str, bombs), str(tmp_path / "9000x9000.png")]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    *lines, peak = done.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == command[3:]
    assert int(peak) < 300_000, "kB; decoded, the three would take 2700, 680 and 240 MB"


def test_a_picture_of_unknown_fate_is_a_media_error_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.symlink_to("a.png")
    with pytest.raises(MediaError):
        read_image(path)
    path.unlink()
    cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    assert read_image(path).shape == (4, 4, 3)
