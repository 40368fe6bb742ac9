"""Self-blended fakes (Shiohara and Yamasaki 2022): a real face blended with a changed copy of itself.

All face swaps blend; a detector that learns the trace of blending need not have seen the method. Without landmarks the
mask is a bent ellipse in the face's box, where the paper bends the hull of the landmarks.
"""

from dataclasses import replace

import cv2
import numpy as np

from deepfake.crops.augmentation import jitter_color, shrink_and_grow
from deepfake.crops.shards import CropSet
from deepfake.errors import SettingsError
from deepfake.records import FAKE, REAL, Box, CropRow, VideoKey

METHOD = "self-blended"
_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # of blending, as in the paper


def with_self_blended(crops: CropSet) -> CropSet:
    """The crops, and all real ones once more as crops of fakes of a method of its own.

    Their pixels are still those of the real ones: `self_blend` makes the fake, another one each time.

    Raises:
        SettingsError: there are fakes already that claim to be self-blended.
    """
    if any(video.method == METHOD for video in crops.videos.values()):
        raise SettingsError(
            f"baseline.augment.self_blended: the dataset has {METHOD} fakes of its own; false would be right"
        )
    renamed = {key: _key(key) for key, video in crops.videos.items() if video.label == REAL}
    videos = {name: replace(crops.videos[key], video=name, label=FAKE) for key, name in renamed.items()}
    rows = [replace(row, video=renamed[row.video]) for row in crops.rows if row.video in renamed]
    return replace(crops, videos=crops.videos | videos, rows=[*crops.rows, *rows])


def is_self_blended(row: CropRow) -> bool:
    """Whether `with_self_blended` made the row."""
    return VideoKey.parse(row.video).method == METHOD


def self_blend(crop: np.ndarray, face: Box, rng: np.random.Generator) -> np.ndarray:
    """A fake from one real crop: it is blended with a copy that differs in colour, sharpness, place and size.

    Args:
        crop: uint8 RGB (S, S, 3).
        face: its box, in pixels of the crop.
        rng: source of all randomness.

    Returns:
        uint8 RGB (S, S, 3); well outside the box as it was, up to the colour and sharpness that either side may change.
    """
    changed = _change(crop, rng)
    inner, outer = (changed, crop) if rng.random() < 0.5 else (crop, changed)
    mask = rng.choice(_RATIOS) * face_mask(crop.shape[0], face, rng)[..., None]
    blended = mask * _move(inner, face, rng) + (1 - mask) * outer
    return np.rint(blended).astype(np.uint8)


def face_mask(size: int, face: Box, rng: np.random.Generator) -> np.ndarray:
    """A soft bent ellipse in the face's box, (size, size) in [0, 1]."""
    center_x, center_y = face.center
    half = np.array([face.x1 - face.x0, face.y1 - face.y0]) / 2 * rng.uniform(0.7, 1.0, 2)
    y, x = np.mgrid[:size, :size] + 0.5
    right, down = (x - center_x) / half[0], (y - center_y) / half[1]
    angle, radius = np.arctan2(down, right), np.hypot(right, down)
    bent = np.ones_like(radius)
    for lobes in (2, 3, 4):
        bent += rng.uniform(-0.08, 0.08) * np.sin(lobes * angle + rng.uniform(0, 2 * np.pi))
    sharp = (radius < bent).astype(np.float32)
    return cv2.GaussianBlur(sharp, (0, 0), rng.uniform(0.03, 0.1) * 2 * half.mean())


def _change(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    changed = jitter_color(crop, *rng.uniform(0.85, 1.15, 3))
    tint = rng.uniform(-10, 10, 3).round()
    changed = np.clip(changed + tint, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        return shrink_and_grow(changed, rng.uniform(0.5, 0.9))
    blurred = cv2.GaussianBlur(changed, (0, 0), 1.0)
    return cv2.addWeighted(changed, 1.5, blurred, -0.5, 0)


def _move(crop: np.ndarray, face: Box, rng: np.random.Generator) -> np.ndarray:
    """The crop scaled about the face's centre and shifted by some hundredths of its box."""
    scale = rng.uniform(0.95, 1.05)
    width, height = face.x1 - face.x0, face.y1 - face.y0
    matrix = cv2.getRotationMatrix2D(face.center, 0, scale)
    matrix[:, 2] += rng.uniform(-1, 1, 2) * (0.03 * width, 0.015 * height)
    return cv2.warpAffine(crop, matrix, crop.shape[:2], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _key(key: str) -> str:
    dataset, method, video = VideoKey.parse(key)
    return str(VideoKey(dataset, METHOD, f"{method}/{video}"))
