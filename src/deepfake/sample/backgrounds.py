"""Places behind a person, always a little out of focus."""

import cv2
import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.plane import blend, blurred, cloud, smoothstep

HOME_BACKGROUNDS = ("wall", "shelf", "window", "garden")
STAGE_BACKGROUNDS = ("curtain", "spots", "panel", "city")


def paint_background(seed: int, kind: str, size: tuple[int, int]) -> np.ndarray:
    """A place of one of the kinds above, sRGB (height, width, 3) in [0, 1]."""
    rng = np.random.default_rng(derive_seed(seed, "background"))
    shape = (size[0] // 2, size[1] // 2)
    base = _color(rng, 0.30, 0.75, 0.16)
    v, u = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j].astype(np.float32)
    painter = {
        "wall": _wall,
        "shelf": _shelf,
        "window": _window,
        "garden": _garden,
        "curtain": _curtain,
        "spots": _spots,
        "panel": _panel,
        "city": _city,
    }[kind]
    picture = painter(rng, base, u, v)
    picture = picture * (1 + 0.02 * cloud(rng, shape, 8))[..., None]
    focus = max(0.8, shape[0] * float(rng.uniform(0.012, 0.03)))
    picture = blurred(np.clip(picture, 0, 1).astype(np.float32), focus)
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1)


def _color(rng: np.random.Generator, low: float, high: float, spread: float) -> np.ndarray:
    return np.clip(rng.uniform(low, high) + rng.uniform(-0.5, 0.5, size=3) * spread, 0.02, 0.98).astype(np.float32)


def _wall(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    glow = np.exp(-((u - rng.uniform()) ** 2 + (v - rng.uniform(0, 0.5)) ** 2) / rng.uniform(0.1, 0.5))
    return base * (0.78 + 0.42 * glow)[..., None]


def _shelf(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    picture = _wall(rng, base * 0.7, u, v)
    for board in np.linspace(0.1, 1.1, 4) + rng.uniform(-0.05, 0.05):
        left = float(rng.uniform(-0.05, 0.02))
        while left < 1:
            width, height = rng.uniform(0.02, 0.06), rng.uniform(0.10, 0.24)
            book = (u > left) & (u < left + width) & (v > board - height) & (v < board)
            picture[book] = _color(rng, 0.15, 0.65, 0.3)
            left += width + (rng.uniform(0.05, 0.2) if rng.uniform() < 0.2 else 0.004)
        picture[(v > board) & (v < board + 0.025)] = base * 0.45
    return picture


def _window(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    picture = _wall(rng, base * 0.8, u, v)
    left, width = rng.uniform(0.0, 0.6), rng.uniform(0.3, 0.45)
    pane = (u > left) & (u < left + width) & (v > 0.05) & (v < 0.75)
    sky = np.array([0.82, 0.90, 0.97], dtype=np.float32) * (0.95 - 0.25 * v)[..., None]
    bars = (np.abs(u - left - width / 2) < 0.012) | (np.abs(v - 0.4) < 0.012)
    picture[pane] = sky[pane]
    picture[pane & bars] = base
    return picture


def _garden(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:  # noqa: ARG001
    sky = np.array([0.70, 0.82, 0.93], dtype=np.float32)
    green = np.array([rng.uniform(0.26, 0.38), rng.uniform(0.38, 0.48), rng.uniform(0.20, 0.28)], dtype=np.float32)
    leaves = green * (1 + 0.20 * cloud(rng, u.shape, 3) + 0.20 * cloud(rng, u.shape, 9))[..., None]
    return blend(sky * np.ones_like(leaves), leaves, smoothstep(-0.6, 0.5, cloud(rng, u.shape, 14) + 5 * (v - 0.35)))


def _curtain(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    folds = np.sin(2 * np.pi * (u * rng.uniform(7, 14) + 0.4 * np.sin(u * 9 + rng.uniform(0, 6)) + 0.06 * v))
    return base * 0.75 * (0.8 + 0.3 * folds - 0.25 * v)[..., None]


def _spots(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    picture = _wall(rng, base * 0.28, u, v)
    for _ in range(int(rng.integers(8, 18))):
        radius = np.hypot((u - rng.uniform()) * 1.33, v - rng.uniform(0, 0.9)) / rng.uniform(0.03, 0.08)
        picture = blend(picture, _color(rng, 0.5, 0.9, 0.6) * np.ones_like(picture), 0.6 * smoothstep(1.1, 0.9, radius))
    return picture


def _panel(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    picture = _wall(rng, base, u, v)
    mark, columns, rows = _color(rng, 0.1, 0.9, 0.6), rng.integers(4, 7), rng.integers(3, 6)
    row = np.floor(v * rows)
    x, y = (u * columns + 0.5 * (row % 2)) % 1, (v * rows) % 1
    return blend(picture, mark * np.ones_like(picture), 0.4 * ((np.abs(x - 0.5) < 0.3) & (np.abs(y - 0.5) < 0.16)))


def _city(rng: np.random.Generator, base: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    dusk = np.array([0.30, 0.32, 0.48], dtype=np.float32)
    picture = dusk * (0.7 + 0.7 * v)[..., None] + 0.1 * base
    for left in np.arange(0, 1, 0.09):
        tower = (u > left) & (u < left + 0.085) & (v > rng.uniform(0.1, 0.6))
        lit = ((u * 60) % 1 > 0.45) & ((v * 40) % 1 > 0.5) & (cloud(rng, u.shape, 1) > 0.2)
        picture[tower] = dusk * rng.uniform(0.25, 0.6)
        picture[tower & lit] = np.array([0.95, 0.82, 0.50], dtype=np.float32)
    return picture
