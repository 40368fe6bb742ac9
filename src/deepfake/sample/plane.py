"""The plane in which a head is painted, and the few shapes that everything is painted with.

Coordinates: u to the right, v down, both in half widths of an average face; the eyes are at v = 0.
"""

from functools import cache

import cv2
import numpy as np

UNIT = 80  # pixels of the plane per unit: about 1.4 times a default video's, so that warping does not blur
LEFT, TOP, RIGHT, BOTTOM = -1.7, -2.0, 1.7, 1.8
SHAPE = (round((BOTTOM - TOP) * UNIT), round((RIGHT - LEFT) * UNIT))


@cache
def plane() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (u, v) of every pixel of the plane, each (H, W)."""
    rows, columns = SHAPE
    u = LEFT + (np.arange(columns, dtype=np.float32) + 0.5) / UNIT
    v = TOP + (np.arange(rows, dtype=np.float32) + 0.5) / UNIT
    grid_u, grid_v = np.meshgrid(u, v)
    return grid_u, grid_v


def window(u0: float, v0: float, u1: float, v1: float) -> tuple[slice, slice]:
    """Rows and columns of the plane that hold a rectangle of it."""
    rows = slice(max(0, int((v0 - TOP) * UNIT)), min(SHAPE[0], int((v1 - TOP) * UNIT) + 1))
    columns = slice(max(0, int((u0 - LEFT) * UNIT)), min(SHAPE[1], int((u1 - LEFT) * UNIT) + 1))
    return rows, columns


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high` and smooth between; falls instead where low > high."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def bump(du: np.ndarray, dv: np.ndarray, width: float, height: float) -> np.ndarray:
    """A Gaussian hill of height 1 around (0, 0)."""
    return np.exp(-((du / width) ** 2) - (dv / height) ** 2)


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`above` over `below`, both (H, W, 3), where alpha (H, W) is 1."""
    return below + (above - below) * alpha[..., None]


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with a sigma in pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def cloud(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> np.ndarray:
    """Smooth noise (H, W) of mean 0 and deviation 1 whose lumps are about `sigma` pixels."""
    coarse = max(1.0, sigma / 2)
    size = (max(2, round(shape[1] / coarse)), max(2, round(shape[0] / coarse)))
    noise = rng.standard_normal((size[1], size[0]), dtype=np.float32)
    noise = cv2.resize(blurred(noise, sigma / coarse), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return (noise - noise.mean()) / (noise.std() + 1e-6)
