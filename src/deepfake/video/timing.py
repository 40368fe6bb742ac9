"""When a frame is shown."""

from pathlib import Path

import av

from deepfake.errors import MediaError


def frames_per_second(path: Path) -> float | None:
    """The average rate of a video's frames, as its container claims it; None if it claims none.

    Raises:
        MediaError: not a video.
    """
    try:
        with av.open(str(path), "r") as container:
            rate = container.streams.video[0].average_rate
    except (av.FFmpegError, OSError, IndexError) as error:
        raise MediaError(f"{path}: not a video ({error})") from error
    return float(rate) if rate else None
