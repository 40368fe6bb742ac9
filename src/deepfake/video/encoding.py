"""H.264 that gives the same bytes on every machine: libx264 through PyAV, the codec FaceForensics++ uses."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation

from deepfake.runtime import replacing


def encode_h264(frames: Iterable[np.ndarray], *, crf: int, fps: int = 25, preset: str = "medium") -> bytes:
    """An MP4 file with the frames as one H.264 stream.

    Args:
        frames: uint8 RGB (H, W, 3), all of one even height and width.
        crf: constant rate factor, 0 (best) to 51.
        fps: frames per second.
        preset: libx264 speed preset.
    """
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = _add_stream(container, frame.shape, crf=crf, fps=fps, preset=preset)
            # An explicit conversion: the implicit one picks its scaler flags by build. BT.601, because that is
            # what decoders assume of an untagged stream; BT.709 would come back with shifted colours.
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU601, interpolation=Interpolation.BICUBIC
            )
            container.mux(stream.encode(picture))
        if stream is None:
            raise ValueError("no frames to encode")
        container.mux(stream.encode(None))
    return buffer.getvalue()


def write_h264(path: Path, frames: Iterable[np.ndarray], *, crf: int, fps: int = 25, preset: str = "medium") -> None:
    """Write `encode_h264` of the frames to a file, whole or not at all."""
    data = encode_h264(frames, crf=crf, fps=fps, preset=preset)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _add_stream(
    container: av.container.OutputContainer, shape: tuple[int, ...], *, crf: int, fps: int, preset: str
) -> av.VideoStream:
    height, width = shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"H.264 in 4:2:0 needs even sides, not {width}x{height}")
    # x264 picks its SIMD path by CPU, and threads race in rate control: pin both or the bytes differ.
    options = {"crf": str(crf), "preset": preset, "x264-params": "cpu-independent=1"}
    stream: av.VideoStream = container.add_stream("libx264", rate=fps, options=options)
    stream.codec_context.thread_count = 1
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    return stream
