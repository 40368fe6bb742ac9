"""What is behind a head: long hair, neck, shoulders and clothes, in one layer that moves less than the head."""

import cv2
import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.head import Head
from deepfake.sample.lighting import cast_shadow, illuminate, make_surface
from deepfake.sample.motion import Pose
from deepfake.sample.plane import LEFT, TOP, UNIT, blend, blurred, cloud, smoothstep
from deepfake.sample.screen import Screen
from deepfake.sample.skin import linear

_UNIT = 56  # pixels of the layer per unit
_LEFT, _TOP, _RIGHT, _BOTTOM = -3.2, -2.0, 3.2, 3.4
_SHAPE = (round((_BOTTOM - _TOP) * _UNIT), round((_RIGHT - _LEFT) * _UNIT))


def paint_body(head: Head) -> np.ndarray:
    """sRGB and coverage (H, W, 4) of what is behind a head, in [0, 1]; colours are multiplied by coverage."""
    u, v = _grid()
    color, cover, relief = _person(head, u, v)
    surface = make_surface(color, relief, np.full_like(relief, 0.015), _UNIT)
    lit = illuminate(surface, head.light, cast_shadow(surface, head.light))
    layer = np.concatenate([lit, np.ones((*_SHAPE, 1))], axis=-1) * cover[..., None]
    if head.back is not None:
        hair = _from_plane(head.back)
        hair[..., :3] *= hair[..., 3:]
        layer = layer + hair * (1 - cover[..., None])
    return layer.astype(np.float32)


def place_body(layer: np.ndarray, screen: Screen, pose: Pose) -> np.ndarray:
    """The layer on the whole screen (height, width, 4), under a head in a pose."""
    scale = screen.unit * pose.scale / _UNIT
    cosine, sine = np.cos(0.35 * pose.roll) * scale, np.sin(0.35 * pose.roll) * scale
    x = screen.center[0] + pose.x * screen.unit + cosine * _LEFT * _UNIT - sine * _TOP * _UNIT
    y = screen.center[1] + pose.y * screen.unit + sine * _LEFT * _UNIT + cosine * _TOP * _UNIT
    move = np.array([[cosine, -sine, x], [sine, cosine, y]])
    return cv2.warpAffine(layer, move, (screen.width, screen.height), flags=cv2.INTER_LINEAR)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    u = _LEFT + (np.arange(_SHAPE[1], dtype=np.float32) + 0.5) / _UNIT
    v = _TOP + (np.arange(_SHAPE[0], dtype=np.float32) + 0.5) / _UNIT
    grid_u, grid_v = np.meshgrid(u, v)
    return grid_u, grid_v


def _person(head: Head, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Linear colour, coverage and relief of neck and clothes."""
    identity = head.identity
    rng = np.random.default_rng(derive_seed(identity.seed, "body"))
    side, shape = np.abs(u), identity.shape
    girth = rng.uniform(0.50, 0.60) * shape.width
    slope = rng.uniform(0.18, 0.30)
    shoulders = shape.chin + 0.42 + slope * np.clip(side - girth, 0, None) + 1.6 * np.clip(side - 1.75, 0, None) ** 2
    neck = smoothstep(0.015, -0.015, side - girth - 0.35 * np.clip(v - shape.chin - 0.1, 0, None) ** 2)
    neck = neck * smoothstep(0.6, 0.7, v)
    clothes = smoothstep(-0.015, 0.015, v - shoulders)
    cut = rng.uniform(0.15, 0.55)  # depth of the neckline
    opening = smoothstep(1.03, 0.97, np.hypot(side / (girth + 0.10), (v - shape.chin - 0.30) / (0.18 + cut)))
    clothes = clothes * (1 - opening)
    cloth = linear(identity.clothes) * (1 + 0.05 * cloud(rng, _SHAPE, 1.0) + 0.08 * cloud(rng, _SHAPE, 10))[..., None]
    under_chin = 1 - 0.55 * smoothstep(shape.chin + 0.45, shape.chin - 0.05, v)
    skin = linear(identity.skin) * under_chin[..., None] * np.array([1.0, 0.93, 0.90], dtype=np.float32)
    color = blend(skin * np.ones((*_SHAPE, 1)), cloth, clothes)
    cover = np.maximum(np.maximum(neck, clothes), opening * smoothstep(-0.015, 0.015, v - shoulders))
    trunk = 0.9 * np.clip(1 - (side / 2.6) ** 2, 0, 1) ** 0.5 - 0.25 * np.clip(2.2 - v, 0, 1)
    throat = 0.75 * np.clip(1 - (side / (girth + 0.08)) ** 2, 0, 1) ** 0.5 - 0.2
    relief = np.where(clothes > 0.5, trunk + 0.06, np.maximum(throat, trunk - 0.1 * (v < shoulders)))
    relief = blurred((relief + 0.03 * cloud(rng, _SHAPE, 16) * clothes).astype(np.float32), 2.0)
    return color.astype(np.float32), cover.astype(np.float32), relief


def _from_plane(picture: np.ndarray) -> np.ndarray:
    """A picture of the head's plane on the layer's."""
    scale = _UNIT / UNIT
    move = np.array([[scale, 0, (LEFT - _LEFT) * _UNIT], [0, scale, (TOP - _TOP) * _UNIT]])
    small = cv2.warpAffine(picture, move, (_SHAPE[1], _SHAPE[0]), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small)
