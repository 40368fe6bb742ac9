"""H.264 in and out: exact bytes, true colours, real prediction between frames, and honest failure."""

import errno
import os
from collections.abc import Iterator
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.video.frame import PictureType

from deepfake.errors import MediaError
from deepfake.video import decoding
from deepfake.video.decoding import decode_video, encoded_frame_count, read_frames
from deepfake.video.encoding import encode_h264, write_h264
from deepfake.video.pictures import read_image


def moving_clip(frames: int = 12, size: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (size, 2 * size, 3), dtype=np.uint8), (0, 0), 2)
    return [np.ascontiguousarray(texture[:, 2 * number : 2 * number + size]) for number in range(frames)]


def stream_of(frames: list[np.ndarray], *, turned: bool = False) -> bytes:
    """A bare H.264 stream; one that is turned asks for a quarter turn."""
    data = BytesIO()
    with av.open(data, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        turn = BitStreamFilterContext("h264_metadata=rotate=90:display_orientation=insert", stream)
        pictures = [av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24") for frame in frames]
        for picture in (*pictures, None):
            for packet in stream.encode(picture):
                container.mux(turn.filter(packet) if turned else packet)
    return data.getvalue()


def test_encoding_the_same_clip_gives_the_same_bytes() -> None:
    assert encode_h264(moving_clip(), crf=23) == encode_h264(moving_clip(), crf=23)


def test_the_stream_is_h264_and_holds_predicted_frames() -> None:
    with av.open(BytesIO(encode_h264(moving_clip(), crf=23)), "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
        kinds = {PictureType(frame.pict_type).name for frame in container.decode(video=0)}
    assert kinds & {"P", "B"}


@pytest.mark.parametrize("color", [(200, 60, 40), (60, 180, 90), (210, 170, 150)], ids=str)
def test_colours_survive_a_round_trip(color: tuple[int, int, int]) -> None:
    flat = [np.full((64, 64, 3), color, np.uint8)] * 4
    decoded = decode_video(encode_h264(flat, crf=10))
    assert np.abs(decoded[2].astype(int) - color).max() <= 4


def test_a_higher_crf_loses_more() -> None:
    clip = moving_clip()
    errors = [np.abs(np.subtract(decode_video(encode_h264(clip, crf=crf)), clip, dtype=int)).mean() for crf in (10, 40)]
    assert errors[1] > 2 * errors[0]


def test_odd_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="even sides"):
        encode_h264([np.zeros((63, 64, 3), np.uint8)], crf=23)


def test_wanted_frames_are_those_of_a_full_decode(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_h264(path, moving_clip(), crf=23)
    everything = decode_video(path.read_bytes())
    found, decoded = read_frames(path, {3, 7})
    assert sorted(found) == [3, 7]
    assert decoded == 8, "decoding should stop after the last wanted frame"
    assert all(np.array_equal(found[number], everything[number]) for number in found)


def test_a_video_shorter_than_wanted_says_how_long_it_is(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_h264(path, moving_clip(frames=5), crf=23)
    assert encoded_frame_count(path) == 5
    found, decoded = read_frames(path, {2, 90})
    assert (sorted(found), decoded) == ([2], 5)


def test_frames_are_counted_where_the_header_knows_the_first_fragment_only(tmp_path: Path) -> None:
    path = tmp_path / "fragments.mp4"
    with av.open(str(path), "w", format="mp4", options={"movflags": "frag_keyframe"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "5"})
        stream.width = stream.height = 64
        for frame in moving_clip(frames=30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames < 30, "it has no fragments"
    assert encoded_frame_count(path) == 30


def test_a_stream_that_turns_on_its_side_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "turned.h264"
    upright = [frame[:48] for frame in moving_clip(frames=4)]
    path.write_bytes(stream_of(upright) + stream_of(upright, turned=True))
    found, decoded = read_frames(path, range(100))
    assert decoded == 4
    assert {frame.shape for frame in found.values()} == {(48, 64, 3)}


def test_a_stream_ends_where_it_is_damaged_but_not_where_the_disk_fails() -> None:
    def frames_until(code: int) -> list[av.VideoFrame]:
        def decode(_: object) -> Iterator[av.VideoFrame]:
            yield av.VideoFrame(64, 48, "rgb24")
            raise av.FFmpegError(code, os.strerror(code))

        stream = SimpleNamespace(thread_type="", codec_context=SimpleNamespace(options={}))
        container = SimpleNamespace(streams=SimpleNamespace(video=[stream]), decode=decode)
        return list(decoding._decode_until_broken(container, "clip.mp4"))  # type: ignore[arg-type]

    assert len(frames_until(errno.EINVAL)) == 1
    with pytest.raises(MediaError, match=r"clip\.mp4: cannot be read now \(Input/output error\)"):
        frames_until(errno.EIO)


def test_a_disk_that_fails_does_not_make_a_video_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    def demuxed_until(code: int) -> int:
        def demux(_: object) -> Iterator[SimpleNamespace]:
            yield SimpleNamespace(size=1)
            raise av.FFmpegError(code, os.strerror(code))

        container = SimpleNamespace(streams=SimpleNamespace(video=[None]), demux=demux)
        monkeypatch.setattr(decoding, "_opened", lambda *_: nullcontext(container))
        return encoded_frame_count(Path("clip.mp4"))

    assert demuxed_until(errno.EINVAL) == 1
    with pytest.raises(MediaError, match=r"clip\.mp4: cannot be read now"):
        demuxed_until(errno.EIO)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_a_picture_in_a_videos_container_is_not_taken_for_a_video(tmp_path: Path, brand: bytes) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    write_h264(path, moving_clip(), crf=23)
    data = path.read_bytes()
    assert data[4:8] == b"ftyp"
    path.write_bytes(data[:8] + brand + data[12:])
    with pytest.raises(MediaError, match="a HEIF or AVIF picture"):
        read_frames(path, {0})


def test_a_truncated_video_gives_what_still_decodes(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    data = BytesIO()
    with av.open(data, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for frame in moving_clip(frames=60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
    _, decoded = read_frames(path, {1000})
    assert 0 < decoded < 60


@pytest.mark.parametrize("content", [b"", b"not a video at all", b"\x00" * 4096], ids=["empty", "text", "zeros"])
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"clip\.mp4: not a video"):
        read_frames(path, {0})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        read_frames(tmp_path / "gone.mp4", {0})
    with pytest.raises(MediaError, match="no such file"):
        read_image(tmp_path / "gone.png")


def test_a_picture_is_read_as_rgb(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), np.full((8, 8, 3), (0, 0, 255), np.uint8))
    assert read_image(path)[0, 0].tolist() == [255, 0, 0]


def test_a_pictures_name_need_not_be_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\xff.png")
    path.write_bytes(cv2.imencode(".png", np.full((8, 8, 3), (0, 0, 255), np.uint8))[1].tobytes())
    assert read_image(path)[0, 0].tolist() == [255, 0, 0]
