"""The relief of a head: how far each point of the plane stands out towards the camera."""

import numpy as np

from deepfake.sample.identities import Shape
from deepfake.sample.plane import bump, plane, smoothstep


def half_width(v: np.ndarray, shape: Shape, grow: float = 0.0) -> np.ndarray:
    """Half the head's width at height v; 0 above the skull and below the chin. `grow` moves the outline outwards."""
    above = np.clip(1 - np.clip(-v / (shape.top + grow), 0, 1) ** 2.3, 0, 1) ** (1 / 2.3)
    below = np.clip(1 - np.clip(v / (shape.chin + grow), 0, 1) ** shape.jaw, 0, 1) ** (1 / 1.55)
    return (shape.width + grow) * np.where(v < 0, above, below)


def silhouette(shape: Shape, grow: float = 0.0) -> np.ndarray:
    """Coverage (H, W) of the head's outline, with an edge of about one pixel."""
    u, v = plane()
    return smoothstep(0.008, -0.008, np.abs(u) - half_width(v, shape, grow) + 0.009)


def skull(shape: Shape, grow: float = 0.0) -> np.ndarray:
    """Relief (H, W) of the head without a face."""
    u, v = plane()
    across = np.abs(u) / np.maximum(half_width(v, shape, grow), 1e-3)
    above = np.clip(1 - np.clip(-v / (shape.top + grow), 0, 1) ** 2.6, 0, 1) ** 0.5
    below = np.clip(1 - np.clip(v / (shape.chin + 0.04 + grow), 0, 1) ** 5, 0, 1) ** 0.5
    return (1.0 + grow) * np.clip(1 - across**2.5, 0, 1) ** 0.55 * np.where(v < 0, above, below)


def face(shape: Shape, age: float) -> np.ndarray:
    """Relief (H, W) that the features add to the skull."""
    u, v = plane()
    side = np.abs(u)
    eye_u = side - shape.eye_distance
    relief = -0.13 * bump(eye_u, v + 0.03, 0.24, 0.15) + 0.09 * bump(eye_u, v, 0.17, 0.11)
    relief += (0.03 + shape.brow_ridge) * bump(eye_u, v - shape.brow_height, 0.30, 0.07)
    relief += shape.cheeks * bump(side - 0.52, v - 0.42, 0.24, 0.22)
    relief += 0.10 * bump(u, v - shape.chin + 0.22, 0.24, 0.16)
    relief -= 0.05 * bump(side - shape.width * 0.92, v + 0.30, 0.16, 0.30)
    relief -= (0.006 + 0.016 * age) * _fold(side, v, shape)
    return relief + _nose(shape) + _lips(shape)


def ears(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Relief and coverage of both ears, each (H, W)."""
    u, v = plane()
    du = (np.abs(u) - shape.width - 0.03) / 0.115
    dv = (v - 0.18) / shape.ears - 0.25 * du
    radius = np.sqrt(du**2 + dv**2)
    relief = 0.22 + 0.16 * np.exp(-(((radius - 0.75) / 0.22) ** 2)) - 0.10 * np.exp(-((radius / 0.45) ** 2))
    return relief, smoothstep(1.05, 0.93, radius)


def lip_line(u: np.ndarray, shape: Shape) -> np.ndarray:
    """Height v of the line between the lips: a shallow bow whose ends rise with `mouth_curve`."""
    x = u / shape.mouth_width
    return shape.mouth_height + 0.012 * np.cos(x * 5.0) * np.exp(-(x**2)) - 0.10 * shape.mouth_curve * (x**2 - 0.4)


def _nose(shape: Shape) -> np.ndarray:
    u, v = plane()
    down = v / shape.nose_length
    ridge = (0.10 + (shape.nose_size - 0.10) * np.clip(down, 0, 1) ** 1.3) * smoothstep(-0.25, 0.15, down)
    ridge = ridge * smoothstep(1.24, 0.90, down)
    width = 0.10 + (0.62 * shape.nose_width - 0.03) * np.clip(down, 0, 1) ** 2
    tip = 0.07 * bump(u, v - shape.nose_length * 0.93, 0.11, 0.085)
    wings = 0.09 * bump(np.abs(u) - 0.80 * shape.nose_width, v - shape.nose_length * 0.95, 0.07, 0.07)
    return ridge * np.exp(-((u / width) ** 2)) + tip + wings


def _lips(shape: Shape) -> np.ndarray:
    u, v = plane()
    dv = v - lip_line(u, shape)
    inside = np.exp(-((np.abs(u) / (1.05 * shape.mouth_width)) ** 4))
    upper = 0.085 * np.exp(-(((dv + 0.55 * shape.upper_lip) / (0.60 * shape.upper_lip)) ** 2))
    lower = 0.105 * np.exp(-(((dv - 0.55 * shape.lower_lip) / (0.60 * shape.lower_lip)) ** 2))
    groove = -0.06 * np.exp(-(((dv - 1.75 * shape.lower_lip) / 0.05) ** 2))
    philtrum = -0.025 * bump(u, v - (shape.nose_length + shape.mouth_height) / 2, 0.035, 0.09)
    return (upper + lower + groove) * inside + philtrum + 0.03 * bump(u, dv, 0.42, 0.24)


def _fold(side: np.ndarray, v: np.ndarray, shape: Shape) -> np.ndarray:
    """The crease from the nose's wing to the corner of the mouth."""
    start, end = shape.nose_length * 0.9, shape.mouth_height + 0.04
    along = np.clip((v - start) / (end - start), -0.2, 1.2)
    at = 1.15 * shape.nose_width + (shape.mouth_width + 0.10 - 1.15 * shape.nose_width) * along
    return np.exp(-(((side - at) / 0.035) ** 2)) * np.exp(-((2.2 * (along - 0.5)) ** 4))
