"""What a face does: eyes that look and blink, brows that rise, a mouth that speaks and smiles."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from deepfake.sample.geometry import lip_line
from deepfake.sample.head import Head
from deepfake.sample.identities import Shape
from deepfake.sample.lighting import to_srgb
from deepfake.sample.plane import SHAPE, UNIT, blend, bump, plane, smoothstep, window
from deepfake.sample.skin import linear

_EDGE = 0.016  # half width of a soft edge, in units


@dataclass(frozen=True)
class Expression:
    """One moment of a face.

    Attributes:
        lids: 0 for closed eyes, 1 for open ones.
        gaze: of the irises, right and down, in half widths of an eye.
        jaw: how far the lower lip has dropped, in units.
        smile: how far the corners of the mouth are drawn out and up, in units.
        brows: how far the brows are raised, in units.
    """

    lids: float
    gaze: tuple[float, float]
    jaw: float
    smile: float
    brows: float


def express(head: Head, picture: np.ndarray, expression: Expression) -> np.ndarray:
    """The head's picture with an expression.

    Args:
        head: the painted head.
        picture: what `head.turned` gave, sRGB (H, W, 3) in [0, 1]; further channels move with the skin.
        expression: the moment to show.
    """
    shape = head.identity.shape
    moved = _move_skin(picture, shape, expression)
    colors = moved[..., :3]
    for side in (-1, 1):
        _draw_eye(colors, head, expression, side)
    if expression.jaw > 0.004:
        _draw_mouth(colors, head, expression)
    return moved


def _move_skin(picture: np.ndarray, shape: Shape, expression: Expression) -> np.ndarray:
    fields = _fields(shape)
    u = fields.columns - UNIT * expression.smile * fields.smile_u
    v = fields.rows - UNIT * (
        expression.jaw * fields.jaw_v + expression.smile * fields.smile_v + expression.brows * fields.brows_v
    )
    return cv2.remap(picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class _Fields:
    """Displacements (H, W) of the skin per unit of jaw, smile and brows, and where each pixel is."""

    columns: np.ndarray
    rows: np.ndarray
    jaw_v: np.ndarray
    smile_u: np.ndarray
    smile_v: np.ndarray
    brows_v: np.ndarray


@lru_cache(maxsize=8)
def _fields(shape: Shape) -> _Fields:
    u, v = plane()
    columns, rows = np.meshgrid(np.arange(SHAPE[1], dtype=np.float32), np.arange(SHAPE[0], dtype=np.float32))
    below = v - lip_line(u, shape)
    at_lips = _opening(u, shape)
    at_chin = np.exp(-((u / 0.75) ** 2))
    share = smoothstep(0.0, 0.38, below)
    lower = (at_lips + (at_chin - at_lips) * share) * (below > 0)
    upper = -0.18 * at_lips * np.exp(-((below / 0.15) ** 2)) * (below <= 0)
    corner = bump(np.abs(u) - shape.mouth_width, v - shape.mouth_height, 0.22, 0.16)
    brows = bump(np.abs(u) - shape.eye_distance, v - shape.brow_height + 0.02, 0.34, 0.11)
    fields = (columns, rows, lower + upper, np.sign(u) * corner, -0.8 * corner, -brows)
    return _Fields(*(field.astype(np.float32) for field in fields))


def _opening(u: np.ndarray, shape: Shape) -> np.ndarray:
    """How far lips part across the mouth, 1 in the middle and 0 at the corners."""
    return np.clip(1 - (u / (0.93 * shape.mouth_width)) ** 2, 0, 1) ** 0.8


def _draw_eye(picture: np.ndarray, head: Head, expression: Expression, side: int) -> None:
    shape = head.identity.shape
    center_u, width = side * shape.eye_distance, shape.eye_width
    area = window(center_u - 1.5 * width, -1.3 * width, center_u + 1.5 * width, 1.2 * width)
    u, v = plane()
    x = (u[area] - center_u) / width * side  # towards the temple
    y = v[area] / width + shape.eye_tilt * x
    high = shape.eye_height / width
    lower = 0.80 * high * np.clip(1 - x**2, 0, 1) ** 0.9
    upper = -1.05 * high * np.clip(1 - np.abs(x + 0.08) ** 2.3, 0, 1) ** 0.75
    upper = lower + (upper - lower) * expression.lids
    edge = _EDGE / width
    open_ = smoothstep(-edge, edge, y - upper) * smoothstep(edge, -edge, y - lower) * (np.abs(x) < 1)
    skin = picture[area]
    crease = np.exp(-(((y - upper + 0.30 + 0.10 * expression.lids) / 0.075) ** 2)) * smoothstep(1.25, 0.7, np.abs(x))
    skin = skin * (1 - 0.26 * crease[..., None])
    ball = _eyeball(head, (side * expression.gaze[0], expression.gaze[1]), (x, y), upper)
    eye = blend(skin, ball, open_)
    lashes = np.exp(-(((y - upper) / 0.105) ** 2)) * smoothstep(1.16, 0.92, np.abs(x))
    lashes = lashes + 0.35 * np.exp(-(((y - lower) / 0.07) ** 2)) * smoothstep(1.02, 0.8, np.abs(x))
    picture[area] = eye * (1 - 0.78 * np.clip(lashes, 0, 1)[..., None])


def _eyeball(
    head: Head, gaze: tuple[float, float], place: tuple[np.ndarray, np.ndarray], upper: np.ndarray
) -> np.ndarray:
    """sRGB (h, w, 3) of an eyeball; `place` is measured in half widths of the eye, x towards the temple."""
    x, y = place
    radius = np.hypot(x - 0.02 - gaze[0], y + 0.02 - gaze[1]) / 0.45
    white = np.array([0.80, 0.77, 0.74], dtype=np.float32) * (1 - 0.22 * np.clip(np.abs(x), 0, 1) ** 3)[..., None]
    white = white - np.array([0.0, 0.16, 0.16], dtype=np.float32) * smoothstep(-0.72, -1.0, x)[..., None]
    iris = linear(head.identity.iris) * (1.25 - 0.55 * np.clip(radius, 0, 1) ** 2 + 0.35 * np.clip(y, 0, 1))[..., None]
    iris = iris * smoothstep(1.12, 0.82, radius)[..., None] * smoothstep(0.36, 0.46, radius)[..., None] + 0.004
    ball = blend(white, iris, smoothstep(1.07, 0.97, radius))
    ball = ball * (0.55 + 0.45 * smoothstep(0.0, 0.35, y - upper))[..., None] * head.brightness * 0.95
    lamp = np.clip(np.asarray(head.light.direction[:2]), -1, 1) * 0.16
    side = np.sign(head.light.direction[0]) if head.light.direction[0] else 1.0
    glint = np.exp(-((np.hypot(x - gaze[0] - lamp[0] * side, y - gaze[1] - lamp[1]) / 0.10) ** 2))
    return np.clip(to_srgb(ball) + 0.75 * glint[..., None] * head.brightness.mean() ** 0.5, 0, 1)


def _draw_mouth(picture: np.ndarray, head: Head, expression: Expression) -> None:
    shape = head.identity.shape
    reach = shape.mouth_width + expression.smile + 0.05
    area = window(-reach, shape.mouth_height - 0.25, reach, shape.mouth_height + expression.jaw + 0.2)
    u, v = (axis[area] for axis in plane())
    x = u / (1 + expression.smile / shape.mouth_width)
    corner = np.exp(-(((np.abs(x) - shape.mouth_width) / 0.22) ** 2))
    line = lip_line(x, shape) - 0.8 * expression.smile * corner
    gap = expression.jaw * _opening(x, shape)
    top, bottom = line - 0.16 * gap, line + gap
    open_ = smoothstep(-_EDGE, _EDGE, v - top) * smoothstep(_EDGE, -_EDGE, v - bottom) * (gap > 0)
    inside = _mouth_inside(x / shape.mouth_width, (v - top) / np.maximum(bottom - top, 1e-3), v - line)
    shade = 0.45 + 0.55 * smoothstep(0.0, 0.05, v - top)
    picture[area] = blend(picture[area], to_srgb(inside * shade[..., None] * head.brightness * 0.9), open_)


def _mouth_inside(x: np.ndarray, y: np.ndarray, below_line: np.ndarray) -> np.ndarray:
    """Linear colour (h, w, 3) of an open mouth: x is -1 and 1 at the corners, y 0 and 1 at the lips."""
    colors = np.array([(0.03, 0.008, 0.008), (0.22, 0.06, 0.06), (0.66, 0.62, 0.55)], dtype=np.float32)
    dark, tongue, tooth = colors
    tongue_cover = 0.75 * smoothstep(0.45, 0.9, y) * np.exp(-((x / 0.8) ** 2))
    teeth = smoothstep(_EDGE, -_EDGE, below_line - 0.045 + 0.05 * x**2) * smoothstep(0.90, 0.70, np.abs(x))
    gaps = 0.75 + 0.25 * np.cos(17 * x) ** 2
    inside = dark + (tongue - dark) * tongue_cover[..., None]
    return blend(inside, tooth * gaps[..., None], 0.92 * teeth)
