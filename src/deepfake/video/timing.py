"""When a frame is shown."""

from pathlib import Path

from deepfake.errors import MediaError
from deepfake.video.decoding import _opened


def frames_per_second(path: Path) -> float | None:
    """The average rate of a video's frames, as its container claims it; None if it claims none or cannot be read."""
    try:
        with _opened(path, str(path)) as container:
            rate = container.streams.video[0].average_rate
    except MediaError:
        return None
    return float(rate) if rate else None
