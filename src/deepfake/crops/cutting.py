"""Cutting a face out of a frame: a square around the box, at training size."""

from typing import NamedTuple

import cv2
import numpy as np

from deepfake.records import Box


class Square(NamedTuple):
    """Which pixels of a frame a crop shows; it may leave the frame."""

    left: int
    top: int
    side: int


def cut_face(frame: np.ndarray, box: Box, *, size: int, margin: float) -> tuple[np.ndarray, Box]:
    """The square around a face, resized once; where it leaves the frame, the frame's border is repeated.

    Args:
        frame: uint8 RGB (H, W, 3).
        box: the face, in pixels of the frame.
        size: side of the crop.
        margin: side of the square divided by the longer side of the box.

    Returns:
        The crop, uint8 RGB (size, size, 3), and the box in pixels of the crop.
    """
    left, top, side = face_square(box, margin=margin)
    square = _window(frame, left, top, side)
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    crop = cv2.resize(square, (size, size), interpolation=interpolation)
    scale = size / side
    face = Box((box.x0 - left) * scale, (box.y0 - top) * scale, (box.x1 - left) * scale, (box.y1 - top) * scale)
    return crop, face


def face_square(box: Box, *, margin: float) -> Square:
    """The square around a face, of `margin` times the longer side of its box, in whole pixels of the frame."""
    side = max(1, round(margin * max(box.x1 - box.x0, box.y1 - box.y0)))
    center_x, center_y = box.center
    return Square(round(center_x - side / 2), round(center_y - side / 2), side)


def whole_picture(picture: np.ndarray, *, size: int, margin: float) -> tuple[np.ndarray, Box]:
    """A picture that was cut elsewhere, resized; its face is taken to sit as it would with our margin."""
    height, width = picture.shape[:2]
    interpolation = cv2.INTER_AREA if max(height, width) > size else cv2.INTER_CUBIC
    crop = cv2.resize(picture, (size, size), interpolation=interpolation)
    rim = (size - size / margin) / 2
    return crop, Box(rim, rim, size - rim, size - rim)


def mask_face(crop: np.ndarray, face: Box, *, grow: float = 0.1) -> np.ndarray:
    """A copy of a crop whose face box, grown by a share of its sides, is grey: what is left can betray a leak."""
    size = crop.shape[0]
    dx, dy = grow * (face.x1 - face.x0) / 2, grow * (face.y1 - face.y0) / 2
    x0, y0 = max(0, int(face.x0 - dx)), max(0, int(face.y0 - dy))
    x1, y1 = min(size, int(np.ceil(face.x1 + dx))), min(size, int(np.ceil(face.y1 + dy)))
    masked = crop.copy()
    masked[y0:y1, x0:x1] = 128
    return masked


def _window(frame: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    height, width = frame.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    if rows[0] == top and rows[-1] == top + side - 1 and columns[0] == left and columns[-1] == left + side - 1:
        return frame[top : top + side, left : left + side]
    return frame[np.ix_(rows, columns)]
