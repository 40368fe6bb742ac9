"""Sequential video decoding: one pass from the start, converting only the frames that are wanted."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np

from deepfake.errors import MediaError


def decode_video(data: bytes) -> list[np.ndarray]:
    """All frames of an encoded video held in memory, as uint8 RGB (H, W, 3)."""
    with _opened(BytesIO(data), "clip in memory") as container:
        return [_to_rgb(frame) for frame in container.decode(video=0)]


def claimed_frame_count(path: Path) -> int:
    """Number of frames the container claims, or that decode if it claims nothing. A claim can be too high.

    Raises:
        MediaError: the file is missing, no video, has no video stream, or nothing decodes.
    """
    with _opened(path, str(path)) as container:
        stream = container.streams.video[0]
        if stream.frames:
            return int(stream.frames)
        if stream.average_rate and container.duration:
            return int(container.duration / av.time_base * stream.average_rate)
    return read_frames(path, {sys.maxsize})[1]


def read_frames(path: Path, wanted: Collection[int]) -> tuple[dict[int, np.ndarray], int]:
    """The wanted frames of a video, and how many frames were decoded on the way.

    Decoding stops after the last wanted frame, or where the stream ends or breaks: a count that is not
    beyond max(wanted) says that the video is shorter than that.

    Args:
        path: video file.
        wanted: frame numbers, from 0.

    Returns:
        ({number: uint8 RGB (H, W, 3)}, number of frames decoded).

    Raises:
        MediaError: the file is missing, no video, or not even its first frame decodes.
    """
    last = max(wanted, default=-1)
    found: dict[int, np.ndarray] = {}
    decoded = 0
    with _opened(path, str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(_decode_until_broken(container)):
            decoded = number + 1
            if number in wanted:
                found[number] = _to_rgb(frame)
            if number >= last:
                break
    if not decoded:
        raise MediaError(f"{path}: no frame decodes")
    return found, decoded


def read_image(path: Path) -> np.ndarray:
    """A picture file as uint8 RGB (H, W, 3).

    Raises:
        MediaError: the file is missing or no picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MediaError(f"{path}: not a picture that OpenCV can read" if path.exists() else f"{path}: no such file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _decode_until_broken(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    try:
        yield from container.decode(video=0)
    except av.FFmpegError:
        return  # a truncated stream: what decoded so far counts


def _to_rgb(frame: av.VideoFrame) -> np.ndarray:
    rgb = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90)
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns)) if quarter_turns else rgb


@contextmanager
def _opened(source: Path | BytesIO, name: str) -> Iterator[av.container.InputContainer]:
    try:
        container = av.open(str(source) if isinstance(source, Path) else source, "r")
    except FileNotFoundError as error:
        raise MediaError(f"{name}: no such file") from error
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{name}: not a video ({error.strerror or error})") from error
    with container:
        if not container.streams.video:
            raise MediaError(f"{name}: has no video stream")
        yield container
