"""Training-time distortions of crops: what happens to face pictures between a camera and a detector."""

from collections.abc import Callable

import cv2
import numpy as np

from deepfake.params import AugmentParams

Compress = Callable[..., np.ndarray]


def augment(crop: np.ndarray, params: AugmentParams, rng: np.random.Generator, *, compress: Compress) -> np.ndarray:
    """A randomly distorted copy of a crop: flip, shift, colour, rescale, blur, and JPEG last, as in life.

    Args:
        crop: uint8 RGB (S, S, 3).
        params: probability and range of each distortion.
        rng: source of all randomness.
        compress: JPEG, called as `compress(crop, quality=q)`.

    Returns:
        uint8 RGB (S, S, 3).
    """
    # Draw every number whether used or not, so that one probability does not shift the randomness of the others.
    chances = (params.flip, params.shift, params.color, params.rescale, params.blur, params.jpeg)
    flip, shift, color, rescale, blur, jpeg = rng.random(len(chances)) < chances
    offset = params.shift_by * crop.shape[0] * rng.uniform(-1, 1, 2)
    strengths = 1 + params.color_strength * rng.uniform(-1, 1, 3)
    scale = rng.uniform(*params.rescale_to)
    sigma = rng.uniform(*params.blur_sigma)
    quality = int(rng.integers(params.jpeg_quality[0], params.jpeg_quality[1] + 1))
    if flip:
        crop = crop[:, ::-1]
    if shift:
        crop = shift_crop(crop, *np.rint(offset).astype(int).tolist())
    if color:
        crop = jitter_color(crop, *strengths)
    if rescale:
        crop = shrink_and_grow(crop, scale)
    if blur:
        crop = cv2.GaussianBlur(crop, (0, 0), sigma)
    return compress(np.ascontiguousarray(crop), quality=quality) if jpeg else np.ascontiguousarray(crop)


def shift_crop(crop: np.ndarray, right: int, down: int) -> np.ndarray:
    """Move a crop by whole pixels, repeating its border: a box that was found a little off."""
    size = crop.shape[0]
    above, below, before, after = max(down, 0), max(-down, 0), max(right, 0), max(-right, 0)
    wider = cv2.copyMakeBorder(crop, above, below, before, after, cv2.BORDER_REPLICATE)
    return wider[below : below + size, after : after + size]


def jitter_color(crop: np.ndarray, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    """Scale brightness, contrast around the mean, and saturation around the grey value; 1 changes nothing."""
    pixels = crop.astype(np.float32) * brightness
    mean = pixels.mean()
    pixels = mean + contrast * (pixels - mean)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma
    pixels = grey[..., None] + saturation * (pixels - grey[..., None])
    return np.clip(pixels.round(), 0, 255).astype(np.uint8)


def shrink_and_grow(crop: np.ndarray, scale: float) -> np.ndarray:
    """Down- and up-scale: a crop from a smaller face."""
    size = crop.shape[0]
    small = max(8, round(size * scale))
    shrunk = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR)
