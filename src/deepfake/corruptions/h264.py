"""H.264 on a clip: what a platform does to a video, with real motion compensation between its frames."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

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


def h264_batch(x: Tensor, lengths: Sequence[int], *, crf: int) -> Tensor:
    """Crops after libx264 compression, each clip by itself; without a gradient.

    Args:
        x: clips one after the other (B, 3, S, S) in [0, 1], with even S; rounded to whole grey levels first.
        lengths: frames of each clip; they sum to B.
        crf: as for `h264`.

    Returns:
        (B, 3, S, S) in [0, 1], whole grey levels divided by 255.
    """
    pixels = (255 * x.detach()).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    clips = np.split(pixels, np.cumsum(lengths)[:-1])
    decoded = torch.from_numpy(np.stack([frame for clip in clips for frame in h264(list(clip), crf=crf)]))
    return decoded.permute(0, 3, 1, 2).to(x) / 255
