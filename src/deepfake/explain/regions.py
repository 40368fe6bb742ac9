"""Which pixels of a crop were forged: the mask's frame, cut like the face."""

from pathlib import Path

import numpy as np

from deepfake.crops.cutting import cut_face
from deepfake.errors import DataError
from deepfake.records import FaceBox
from deepfake.video.decoding import read_frames

_FORGED = 128  # masks are black and white, but H.264 and resizing leave greys


def forged_region(mask: Path, video: Path, face: FaceBox, *, size: int, margin: float) -> np.ndarray | None:
    """Bool (S, S), True where the crop of a face was forged; None where the mask video ends before the frame.

    Args:
        mask: mask video, frame by frame that of `video`.
        video: the fake.
        face: box of the face; its frame is the one that is read.
        size, margin: as the crop was cut.

    Raises:
        DataError: mask and video differ in size, so that the box does not tell where the face is in the mask.
        MediaError: one of them is missing or no video.
    """
    frames, _ = read_frames(mask, {face.frame})
    if face.frame not in frames:
        return None
    shape = read_frames(video, {0})[0][0].shape
    if frames[face.frame].shape != shape:
        raise DataError(f"{mask}: {_size(frames[face.frame].shape)} pixels, and {video} has {_size(shape)}")
    crop, _ = cut_face(frames[face.frame], face.box, size=size, margin=margin)
    return crop.max(axis=-1) >= _FORGED


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
