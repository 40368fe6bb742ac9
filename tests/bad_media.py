"""A corpus of media as cameras, users and attackers hand them over, made on the spot; nothing in it is a recording.

Each file says whether a face must be found in it, and if not, what the reason must say. Used by the tests of face
extraction and of everything else that opens media.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

from deepfake.records import Kind
from deepfake.sample.camera import Camera
from deepfake.sample.identities import HAIR_STYLES, SKIN_TONES, draw_identity
from deepfake.sample.lighting import LIGHT_NAMES, draw_light
from deepfake.sample.scene import Scene, film
from deepfake.sample.screen import Screen

WIDTH, HEIGHT, FRAMES = 320, 240, 8
Frames = Sequence[np.ndarray]


@dataclass(frozen=True)
class Medium:
    """One file of the corpus.

    Attributes:
        path: the file.
        kind: as what it is handed over.
        reason: part of the reason why no face is found in it; "" where one must be found; None where either will do,
            because it depends on how much of a damaged file a decoder gives.
    """

    path: Path
    kind: Kind
    reason: str | None


@cache
def person(number: int = 0) -> tuple[np.ndarray, ...]:
    """A rendered person in the middle of every frame, uint8 RGB (HEIGHT, WIDTH, 3); read-only."""
    identity = draw_identity(number, SKIN_TONES[number % 3], HAIR_STYLES[number % len(HAIR_STYLES)])
    camera = Camera(noise="low", blur=0.6, contrast=1.0, crf=18, preset="veryfast")
    light = draw_light(number, LIGHT_NAMES[number % len(LIGHT_NAMES)])
    frames = film(Scene(number, identity, light, "wall", camera), Screen(WIDTH, HEIGHT), FRAMES).frames
    for frame in frames:
        frame.flags.writeable = False
    return tuple(frames)


def make_corpus(folder: Path) -> list[Medium]:
    """Write the corpus into an empty folder, and say what is in it."""
    made: list[Medium] = []
    for kind, makers in (("video", (_damaged, _disguised, _odd, _coded, _hostile)), ("image", (_pictures,))):
        for maker in makers:
            for name, data, reason in maker():
                (folder / name).write_bytes(data)
                made.append(Medium(folder / name, kind, reason))  # type: ignore[arg-type]
    return made


Made = Iterator[tuple[str, bytes, str | None]]


def _damaged() -> Made:
    mp4, mkv = encode(person(), container="mp4"), encode(person() * 6, container="matroska", g="4")
    for tenth in range(10):
        yield f"cut_{tenth}.mp4", mp4[: len(mp4) * tenth // 10], "video"  # an MP4's index is at its end
        yield f"cut_{tenth}.mkv", mkv[: len(mkv) * tenth // 10], None if tenth else "not a video"
    yield "zeros.mp4", bytes(4096), "not a video"
    yield "holes.mkv", b"".join(mkv[at : at + 500] + bytes(50) for at in range(0, len(mkv), 550)), None


def _disguised() -> Made:
    yield "text.mp4", b"not a video at all\n" * 100, "not a video"
    yield "picture.mp4", encode_picture(person()[0], ".png"), "not a video"
    yield "playlist.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "not a video"
    yield "list.mp4", b"ffconcat version 1.0\nfile plain.mp4\n", "not a video"
    yield "matroska.mp4", encode(person(1), container="matroska"), ""
    yield "mp4.avi", encode(person(2), container="mp4"), ""
    yield "audio_only.mp4", _sound(), "no video stream"


def _odd() -> Made:
    yield "plain.mp4", encode(person()), ""
    yield "one_frame.mp4", encode(person(1)[:1]), ""
    yield "1x1.mkv", encode([np.zeros((1, 1, 3), np.uint8)] * 4, "ffv1", "matroska", "bgr0"), "no face found"
    yield "1_wide.avi", encode([np.zeros((300, 1, 3), np.uint8)] * 4, "rawvideo", "avi", "bgr24"), "no face found"
    yield "odd_sides.mkv", encode([frame[:-1, :-1] for frame in person(2)], "ffv1", "matroska", "bgr0"), ""
    yield "4k.mp4", encode([_grown(frame, 12) for frame in person(0)[:2]], preset="ultrafast"), ""
    yield "black.mp4", encode([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * FRAMES), "no face found"
    yield "no_face.mp4", encode([np.full((HEIGHT, WIDTH, 3), 90, np.uint8)] * FRAMES), "no face found"
    crowd = [np.vstack([np.hstack([frame] * 3)] * 2) for frame in person(1)]
    yield "many_faces.mp4", encode(crowd), ""
    yield "at_the_border.mp4", encode([frame[:, 100:] for frame in person(2)]), ""
    for degrees in (90, 180, 270):
        turned = [np.rot90(frame, degrees // 90) for frame in person(1)]
        yield f"turned_{degrees}.mp4", turn(encode(turned), degrees), ""
    yield "flat_matrix.mp4", _with_matrix(encode(person()), [0] * 9), ""
    yield "uneven_rate.mp4", encode(person(), times=[0, 1, 2, 40, 41, 300, 301, 9000]), ""
    yield "changes_size.mkv", _change_of_size(), ""
    yield "latin_1_title.avi", titled(b"caf\xe9"), ""


def _coded() -> Made:
    yield (
        "hevc_10_bit.mp4",
        encode(person(1), "libx265", "mp4", "yuv420p10le", (), **{"x265-params": "log-level=0"}),
        "",
    )
    yield "vp9.webm", encode(person(2), "libvpx-vp9", "webm"), ""
    os.environ.setdefault("SVT_LOG", "1")  # errors only
    yield "av1.mp4", encode(person(0), "libsvtav1", "mp4"), ""
    yield "grey.mp4", encode(person(1), pixels="gray"), ""
    yield "alpha.mkv", encode(person(2), "ffv1", "matroska", "bgra"), ""
    yield "full_colour.mp4", encode(person(0), pixels="yuv444p"), ""


def _hostile() -> Made:
    avi = encode(person(1), "mpeg4", "avi")
    billion = struct.pack("<I", 10**9)
    yield "claims_a_billion.avi", patched(patched(avi, b"avih", 24, billion), b"strh", 40, billion), ""
    mp4, many = encode(person(2)), struct.pack(">I", 10**9)
    endless = patched(patched(mp4, b"stsz", 4, struct.pack(">II", 0, 30) + many), b"stsc", 12, many)
    yield "claims_a_billion.mp4", endless, "no frame decodes"
    yield "unknown_codec.avi", avi.replace(b"FMP4", b"QZQZ"), "cannot be decoded"
    yield "claims_one.avi", patched(avi, b"strh", 40, struct.pack("<I", 1)), ""
    yield "claims_15000x15000.webm", _vp9_of_size(15_000, 15_000), "no frame decodes"


def _pictures() -> Made:
    face, grey = person(1)[0], cv2.cvtColor(person(1)[0], cv2.COLOR_RGB2GRAY)
    yield "plain.png", encode_picture(face, ".png"), ""
    yield "cmyk.jpg", _pillow(Image.fromarray(face).convert("CMYK"), "JPEG"), ""
    yield "progressive.jpg", _pillow(Image.fromarray(face), "JPEG", progressive=True), ""
    yield "16_bit.png", encode_picture(face.astype(np.uint16) * 257, ".png"), ""
    yield "16_bit.tif", encode_picture(face.astype(np.uint16) * 257, ".tif"), ""
    yield "grey.png", encode_picture(grey, ".png"), ""
    yield "palette.png", _pillow(Image.fromarray(face).quantize(64), "PNG"), ""
    yield "alpha.png", encode_picture(np.dstack([face, grey]), ".png"), ""
    yield "face.webp", encode_picture(face, ".webp"), ""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by a quarter clockwise to see it upright
    yield "turned.jpg", _pillow(Image.fromarray(np.rot90(face).copy()), "JPEG", exif=exif, quality=95), ""
    yield "1x1.png", encode_picture(face[:1, :1], ".png"), "no face found"
    yield "cut.png", encode_picture(face, ".png")[:3000], None
    yield "cut.jpg", encode_picture(face, ".jpg")[:3000], None
    yield "empty.jpg", b"", "not a picture"
    yield "text.jpg", b"hello", "not a picture"
    yield "video.jpg", encode(person()), "not a picture"
    yield "30000x30000.png", png_of_size(30_000, 30_000), "pixels"


def encode(
    frames: Frames, codec: str = "libx264", container: str = "mp4", pixels: str = "yuv420p",
    times: Sequence[int] = (), **options: Any,
) -> bytes:  # fmt: skip
    """An encoded video of frames, uint8 RGB (H, W, 3); `times` are presentation times in 1/1000 s."""
    if codec == "libx264":
        options.setdefault("x264-params", "cpu-independent=1")  # else the same frames give other bytes now and then
    data = BytesIO()
    with av.open(data, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        stream.thread_count = 1
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            if times:
                picture.pts, picture.time_base = times[number], Fraction(1, 1000)
                stream.codec_context.time_base = Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return data.getvalue()


def turn(mp4: bytes, degrees: int) -> bytes:
    """The same MP4 with a display matrix that turns it clockwise by 90, 180 or 270 degrees."""
    a, b, c, d = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    return _with_matrix(mp4, [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30])


def _with_matrix(mp4: bytes, matrix: Sequence[int]) -> bytes:
    return patched(mp4, b"tkhd", 40, struct.pack(">9i", *matrix))


def patched(data: bytes, mark: bytes, offset: int, new: bytes) -> bytes:
    """`data` with the bytes at some offset behind the end of its first `mark` replaced."""
    start = data.index(mark) + len(mark) + offset
    return data[:start] + new + data[start + len(new) :]


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """A picture file of RGB(A) or grey pixels, as OpenCV writes it."""
    bgr = picture if picture.ndim == 2 else picture[..., [2, 1, 0, *range(3, picture.shape[2])]]
    return cv2.imencode(suffix, bgr)[1].tobytes()


def png_of_size(width: int, height: int) -> bytes:
    """A grey PNG of one bit a pixel whose every row is empty: a few kilobytes, however large it is said to be."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _pillow(picture: Image.Image, kind: str, **options: Any) -> bytes:
    data = BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def _grown(frame: np.ndarray, factor: int) -> np.ndarray:
    return cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def _sound() -> bytes:
    data = BytesIO()
    with av.open(data, "w", format="mp4") as output:
        stream: Any = output.add_stream("aac", rate=16_000)
        for start in range(0, 8192, 1024):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 16_000, start
            output.mux(stream.encode(sound))
        output.mux(stream.encode(None))
    return data.getvalue()


def _change_of_size() -> bytes:
    """An H.264 stream that goes on in another size, as video calls do."""
    parts = [encode(frames, container="h264") for frames in (person(1), [_grown(frame, 2) for frame in person(1)])]
    return b"".join(parts)


def titled(title: bytes) -> bytes:
    data = BytesIO()
    with av.open(data, "w", format="avi") as output:
        output.metadata["title"] = "x" * len(title)
        stream: Any = output.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for frame in person(1):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode(None))
    return data.getvalue().replace(b"x" * len(title), title, 1)


def _vp9_of_size(width: int, height: int) -> bytes:
    """A small WebM whose first key frame claims another size."""
    data = encode([np.full((64, 64, 3), 90, np.uint8)] * 4, "libvpx-vp9", "webm")
    with av.open(BytesIO(data), "r") as container:
        packet = next(bytes(packet) for packet in container.demux(video=0) if packet.size)
    bits = f"{int.from_bytes(packet, 'big'):0{8 * len(packet)}b}"
    sizes = 36  # bits before them in a key frame of profile 0: marks, flags, sync code, colour
    new = bits[:sizes] + f"{width - 1:016b}{height - 1:016b}" + bits[sizes + 32 :]
    return data.replace(packet, int(new, 2).to_bytes(len(packet), "big"))
