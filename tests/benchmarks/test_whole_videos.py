from pathlib import Path

import numpy as np
import pytest
from crop_folders import face_video
from whole_videos import Piece, read_piece, write_films

from deepfake.crops.cutting import cut_face
from deepfake.crops.shards import CropSet
from deepfake.errors import DataError
from deepfake.params import CropsParams
from deepfake.records import Box, CropRow, FaceVideo
from deepfake.video.decoding import read_frames
from deepfake.video.encoding import write_h264

VIDEO, BOX = "ffpp/Deepfakes/000_001", Box(20, 20, 60, 60)
PARAMS = CropsParams(size=40, margin=1.0, shards=1)
BOXES = {(VIDEO, frame): BOX for frame in range(2, 5)}


@pytest.fixture
def video(tmp_path: Path) -> FaceVideo:
    """A moving gradient of 6 frames."""
    y, x = np.mgrid[:80, :96]
    frames = [np.stack([x * 2 + 5 * step, y * 2, x + y], axis=-1).astype(np.uint8) for step in range(6)]
    write_h264(tmp_path / f"{VIDEO}.mp4", frames, crf=10)
    return face_video(VIDEO, split="test")


@pytest.fixture
def crops(video: FaceVideo, tmp_path: Path) -> CropSet:
    """Its middle frames' crops."""
    frames, _ = read_frames(tmp_path / video.path, {2, 3, 4})
    pixels = [cut_face(frames[number], BOX, size=PARAMS.size, margin=PARAMS.margin)[0] for number in frames]
    rows = [CropRow(VIDEO, 0, number, 0, row, 0, 0, 40, 40) for row, number in enumerate(frames)]
    return CropSet({VIDEO: video}, rows, {0: np.stack(pixels)})


@pytest.fixture
def piece(video: FaceVideo, crops: CropSet, tmp_path: Path) -> Piece:
    return read_piece(video, crops, BOXES, tmp_path, PARAMS)


def test_a_piece_is_the_frames_that_there_are_crops_of(piece: Piece, tmp_path: Path) -> None:
    frames, _ = read_frames(tmp_path / piece.video.path, {2, 3, 4})
    assert piece.places == [(VIDEO, 2), (VIDEO, 3), (VIDEO, 4)]
    assert np.array_equal(piece.frames, list(frames.values()))


def test_crops_of_other_boxes_are_refused(video: FaceVideo, crops: CropSet, tmp_path: Path) -> None:
    moved = {place: Box(21, 20, 61, 60) for place in BOXES}
    with pytest.raises(DataError, match=r"000_001\.mp4: frame 2 does not give the stored crop"):
        read_piece(video, crops, moved, tmp_path, PARAMS)


def test_a_crop_without_a_box_or_a_frame_is_named(video: FaceVideo, crops: CropSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="frame 2 has a crop but no face box"):
        read_piece(video, crops, {}, tmp_path, PARAMS)
    late = crops.with_rows([CropRow(VIDEO, 0, 99, 0, 0, 0, 0, 40, 40)])
    with pytest.raises(DataError, match="frame 99 has a crop but does not decode"):
        read_piece(video, late, {(VIDEO, 99): BOX}, tmp_path, PARAMS)


def test_only_the_face_of_a_changed_crop_changes(piece: Piece) -> None:
    before, after = piece.changed({}), piece.changed({(VIDEO, 3): piece.crops[1] - np.uint8(7)})
    assert np.array_equal(before, piece.frames)
    difference = np.array(before).astype(int) - after
    assert (difference[1, 20:60, 20:60] == 7).all()
    difference[1, 20:60, 20:60] = 0
    assert not difference.any()


def test_odd_sides_lose_a_pixel() -> None:
    frame, crop = np.zeros((81, 97, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)
    piece = Piece(face_video(VIDEO), [(VIDEO, 0)], [frame], [BOX], [crop], 1.0)
    assert piece.changed({})[0].shape == (80, 96, 3)


def test_films_hold_the_changes_and_leave_out_videos_without_any(piece: Piece, tmp_path: Path) -> None:
    changes = {"none": {}, "darker": {place: crop // 2 for place, crop in zip(piece.places, piece.crops, strict=True)}}
    other = Piece(face_video("ffpp/original/000"), [("ffpp/original/000", 0)], piece.frames[:1], [BOX],
                  piece.crops[:1], 1.0)  # fmt: skip
    films = write_films(tmp_path / "films", [piece, other], changes, [1, 40])
    assert {key: [video.video for video in film] for key, film in films.items()} == {
        ("none", 1): [VIDEO, "ffpp/original/000"], ("none", 40): [VIDEO, "ffpp/original/000"],
        ("darker", 1): [VIDEO], ("darker", 40): [VIDEO],
    }  # fmt: skip
    shown, decoded = read_frames(tmp_path / "films" / films["darker", 1][0].path, {0, 1, 2, 3})
    assert decoded == 3
    expected = np.array(piece.changed(changes["darker"])).astype(int)
    assert np.abs(np.array(list(shown.values())) - expected).mean() < 3
