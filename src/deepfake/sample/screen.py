"""Where the plane of a head lands on the screen."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake.sample.motion import Pose
from deepfake.sample.plane import LEFT, TOP, UNIT


@dataclass(frozen=True)
class Screen:
    """Size of a video in pixels, and how large and where a head usually is in it."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """Pixels per unit of the plane."""
        return 0.225 * min(self.height, 0.75 * self.width)

    @property
    def center(self) -> tuple[float, float]:
        """Pixel where the point between the eyes usually is."""
        return 0.5 * self.width, 0.48 * self.height


@dataclass(frozen=True)
class View:
    """Which point of the plane each pixel of a part of the screen shows.

    Attributes:
        area: rows and columns of the screen around the head.
        columns, rows: pixel of the plane, each (h, w).
    """

    area: tuple[slice, slice]
    columns: np.ndarray
    rows: np.ndarray

    def show(self, picture: np.ndarray, outside: float = 0.0) -> np.ndarray:
        """The part of the screen that shows a picture of the plane, (h, w) or (h, w, C)."""
        border = (outside,) * 4
        return cv2.remap(picture, self.columns, self.rows, cv2.INTER_LINEAR, borderValue=border)


def look_at(screen: Screen, pose: Pose, depth: np.ndarray) -> View:
    """How a head in a pose is seen; `depth` (H, W) says how far each point of it shifts when the head turns."""
    unit = screen.unit * pose.scale
    center_x, center_y = screen.center[0] + pose.x * screen.unit, screen.center[1] + pose.y * screen.unit
    area = _around(screen, (center_x, center_y), 1.85 * unit)
    y, x = np.mgrid[area].astype(np.float32)
    x, y = (x + 0.5 - center_x) / unit, (y + 0.5 - center_y) / unit
    cosine, sine = np.float32(np.cos(pose.roll)), np.float32(np.sin(pose.roll))
    straight_u, straight_v = cosine * x + sine * y, cosine * y - sine * x
    shift = np.ones_like(x)
    for _ in range(3):
        columns = (straight_u - np.float32(np.sin(pose.yaw)) * shift - LEFT) * UNIT - 0.5
        rows = (straight_v - np.float32(np.sin(pose.pitch)) * shift - TOP) * UNIT - 0.5
        shift = cv2.remap(depth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return View(area, columns, rows)


def _around(screen: Screen, center: tuple[float, float], reach: float) -> tuple[slice, slice]:
    x, y = center
    rows = slice(max(0, int(y - reach)), min(screen.height, int(y + reach) + 1))
    columns = slice(max(0, int(x - reach)), min(screen.width, int(x + reach) + 1))
    return rows, columns
