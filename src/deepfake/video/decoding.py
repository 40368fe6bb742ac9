"""Sequential video decoding: one pass from the start, converting only the frames that are wanted.

Files come from strangers. What they may cost is bounded by what is in them and never by a clock, so that a slow machine
finds the same frames: the pixels of one frame, the pixels of all frames together, and the formats that are read at
all (a list in a file named .mp4 would be taken for the videos that it names).
"""

import errno
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import av
import numpy as np

from deepfake.errors import MediaError

MAX_FRAME_PIXELS = 2**25  # 8K; a decoder may hold some twenty such frames at once
MAX_DECODED_PIXELS = 2**38  # of one video: an hour and a half of 1080p
_LEAST_PIXELS = 2**17  # that a frame counts for; the smallest cost time too

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,ogg,asf,mxf,nut,ivf"
_PICTURES = {"heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis"}  # brands that are in no video's container
_PASSING = {errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE}  # the machine's faults: no end of a stream
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file", "max_pixels": str(MAX_FRAME_PIXELS)}

Kept = TypeVar("Kept")


def decode_video(data: bytes) -> list[np.ndarray]:
    """All frames of an encoded video held in memory, as uint8 RGB (H, W, 3)."""
    with _opened(BytesIO(data), "clip in memory") as container:
        return [_to_rgb(frame) for frame in container.decode(video=0)]


def require_file(path: Path) -> None:
    """Make sure that a path leads to a plain file: a pipe or a device could keep a reader for ever.

    Raises:
        MediaError: it leads to nothing, to something else, or nowhere that may be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise MediaError(f"{path}: no such file") from error
    except OSError as error:
        raise MediaError(f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise MediaError(f"{path}: not a plain file")


def encoded_frame_count(path: Path) -> int:
    """Number of encoded frames in a video, or that decode if none are told apart. Some of them may not decode.

    They are counted and not taken from the header: of a file that is written in fragments it knows the first one only,
    and whoever looked no further would see what a forger wants to be seen.

    Raises:
        MediaError: the file is missing, no video, has no video stream, or nothing decodes.
    """
    count = 0
    with _opened(path, str(path)) as container, _ending_where_it_breaks(str(path)):
        for packet in container.demux(container.streams.video[0]):
            count += packet.size > 0  # an empty one ends the stream
    return count or read_frames(path, {sys.maxsize})[1]


def frames_per_second(path: Path) -> float | None:
    """The average rate of a video's frames, as its container claims it; None if it claims none or cannot be read."""
    try:
        with _opened(path, str(path)) as container:
            rate = container.streams.video[0].average_rate
    except MediaError:
        return None
    return float(rate) if rate else None


def read_frames(path: Path, wanted: Collection[int]) -> tuple[dict[int, np.ndarray], int]:
    """The wanted frames of a video as uint8 RGB (H, W, 3), and how many frames were decoded: `map_frames` as it is."""
    return map_frames(path, wanted, lambda _, frame: frame)


def map_frames(
    path: Path, wanted: Collection[int], keep: Callable[[int, np.ndarray], Kept]
) -> tuple[dict[int, Kept], int]:
    """What `keep` makes of the wanted frames of a video, and how many frames were decoded on the way.

    Decoding stops after the last wanted frame, or where the stream ends, breaks, changes its size, turns on its side or
    has had its MAX_DECODED_PIXELS: a count that is not beyond max(wanted) says that the video is shorter than that.

    Args:
        path: video file.
        wanted: frame numbers, from 0.
        keep: called with the number and the frame, uint8 RGB (H, W, 3), as soon as it is decoded; only what it returns
            stays in memory.

    Returns:
        (results by frame number, number of frames decoded).

    Raises:
        MediaError: the file is missing, no video, cannot be read now, or not even its first frame decodes.
    """
    last = max(wanted, default=-1)
    found: dict[int, Kept] = {}
    decoded = 0
    with _opened(path, str(path)) as container:
        for number, frame in enumerate(_decode_until_broken(container, str(path))):
            decoded = number + 1
            if number in wanted:
                found[number] = keep(number, _to_rgb(frame))
            if number >= last:
                break
    if not decoded:
        raise MediaError(f"{path}: no frame decodes, or none of at most {MAX_FRAME_PIXELS} pixels")
    return found, decoded


def _decode_until_broken(container: av.container.InputContainer, name: str) -> Iterator[av.VideoFrame]:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": _OPTIONS["max_pixels"]}  # so far only the probing decoder knows it
    left, size = MAX_DECODED_PIXELS, None
    with _ending_where_it_breaks(name):
        for frame in container.decode(stream):
            now = frame.width, frame.height, _quarter_turns(frame) % 2
            size = size or now
            if left <= 0 or size != now:
                return
            left -= max(_LEAST_PIXELS, frame.width * frame.height)
            yield frame


@contextmanager
def _ending_where_it_breaks(name: str) -> Iterator[None]:
    """A stream that is damaged or cut short ends there, and what came before counts; a fault that may pass is none."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in _PASSING:
            raise MediaError(f"{name}: cannot be read now ({error.strerror})") from error


def _to_rgb(frame: av.VideoFrame) -> np.ndarray:
    rgb, quarter_turns = frame.to_ndarray(format="rgb24"), _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(rgb, quarter_turns)) if quarter_turns else rgb


def _quarter_turns(frame: av.VideoFrame) -> int:
    # A matrix of zeros has no angle: FFmpeg's NaN arrives as the smallest integer.
    return round(frame.rotation / 90) if abs(frame.rotation) <= 360 else 0


@contextmanager
def _opened(source: Path | BytesIO, name: str) -> Iterator[av.container.InputContainer]:
    if isinstance(source, Path):
        require_file(source)
    try:
        # Without `file:`, a name such as `concat:a.mp4|b.mp4` would be a protocol. Titles may be in any encoding.
        opened = f"file:{source}" if isinstance(source, Path) else source
        container = av.open(opened, "r", options=_OPTIONS, metadata_errors="replace")
    except av.ArgumentError as error:
        raise MediaError(f"{name}: not a video but something else") from error
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{name}: not a video ({error.strerror or error})") from error
    with container:
        if container.metadata.get("major_brand", "").strip() in _PICTURES:
            raise MediaError(f"{name}: a HEIF or AVIF picture; PNG or JPEG would be right")
        if not container.streams.video:
            raise MediaError(f"{name}: has no video stream")
        if container.streams.video[0].codec_context is None:
            raise MediaError(f"{name}: its video is in a format that cannot be decoded")
        yield container
