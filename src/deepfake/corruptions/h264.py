"""H.264 on a clip: what a platform does to a video, with real motion compensation between its frames."""

from collections.abc import Sequence

import numpy as np

from deepfake.video.decoding import decode_video
from deepfake.video.encoding import encode_h264


def h264(clip: Sequence[np.ndarray], *, crf: int) -> list[np.ndarray]:
    """A clip after libx264 compression.

    Args:
        clip: consecutive frames, uint8 RGB (S, S, 3) with even S.
        crf: constant rate factor, 0 (best) to 51; FaceForensics++ calls 23 and 40 c23 and c40.

    Returns:
        As many decoded frames, uint8 RGB (S, S, 3).
    """
    return decode_video(encode_h264(clip, crf=crf))
