"""A head under one light, painted once: every later frame only moves, bends and completes this picture."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deepfake.sample import geometry
from deepfake.sample.hair import grow_back_hair, grow_hair
from deepfake.sample.identities import Identity
from deepfake.sample.lighting import Light, Surface, cast_shadow, illuminate, make_surface
from deepfake.sample.plane import UNIT, blend, blurred, bump, plane
from deepfake.sample.skin import paint_skin

_TURN = 0.2  # radians: the turn over which the change of light is measured


@dataclass(frozen=True)
class Head:
    """A painted head.

    Attributes:
        identity: whose head.
        light: under which it was painted.
        front: sRGB in [0, 1] of head, ears and front hair, straight from the front (H, W, 3).
        per_yaw, per_pitch: change of `front` per radian that the head turns, (H, W, 3).
        cover: coverage (H, W) of head, ears and front hair.
        depth: smooth relief (H, W) by which points shift when the head turns.
        brightness: linear colour (3,) of white skin at the eyes and the mouth under this light.
        back: sRGB and coverage (H, W, 4) of hair behind the neck; None if there is none.
    """

    identity: Identity
    light: Light
    front: np.ndarray
    per_yaw: np.ndarray
    per_pitch: np.ndarray
    cover: np.ndarray
    depth: np.ndarray
    brightness: np.ndarray
    back: np.ndarray | None

    def turned(self, yaw: float, pitch: float) -> np.ndarray:
        """sRGB (H, W, 3) of the head when it is turned by small angles: only its light, nothing moves yet."""
        return np.clip(self.front + yaw * self.per_yaw + pitch * self.per_pitch, 0, 1)


def paint_head(identity: Identity, light: Light) -> Head:
    """Paint a person's head under a light."""
    surface, cover = _materials(identity)
    shadow = cast_shadow(surface, light)

    def change(yaw: float, pitch: float) -> np.ndarray:
        there, back = light.turned(yaw, pitch), light.turned(-yaw, -pitch)
        return (illuminate(surface, there, shadow) - illuminate(surface, back, shadow)) / (2 * _TURN)

    return Head(
        identity=identity,
        light=light,
        front=illuminate(surface, light, shadow),
        per_yaw=change(_TURN, 0),
        per_pitch=change(0, _TURN),
        cover=cover,
        depth=_depth(surface.relief, cover),
        brightness=_brightness(surface, light, shadow),
        back=_paint_back(identity, light),
    )


@lru_cache(maxsize=8)  # a person is painted in several lights
def _materials(identity: Identity) -> tuple[Surface, np.ndarray]:
    """Surface and coverage (H, W) of everything that belongs to the head."""
    shape = identity.shape
    u, v = plane()
    head = geometry.silhouette(shape)
    ear_relief, ear_cover = geometry.ears(shape)
    relief = np.where(
        head > 0.5, geometry.skull(shape) + geometry.face(shape, identity.age) * head, ear_relief * ear_cover
    )
    albedo = paint_skin(identity)
    gloss = 0.045 + 0.07 * bump(u, v - 0.35, 0.16, 0.35) + 0.05 * bump(u, v + 0.6, 0.45, 0.2)
    gloss = gloss + 0.10 * bump(u, v - shape.mouth_height - 0.05, shape.mouth_width, 0.06)
    hair = grow_hair(identity)
    relief = relief + (np.maximum(hair.relief, relief) - relief) * hair.cover
    albedo = blend(albedo, hair.color, hair.cover)
    gloss = gloss * (1 - hair.cover) + 0.05 * hair.cover
    cover = np.maximum(np.maximum(head, ear_cover), hair.cover)
    return make_surface(albedo, relief, gloss, UNIT), cover.astype(np.float32)


def _depth(relief: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Relief without anything steep, so that turning the head never folds the picture."""
    u, v = plane()
    dome = 1.0 - 0.55 * u**2 - 0.22 * (v - 0.2) ** 2
    return (dome + 0.75 * (blurred(relief * cover, 6.0) - blurred(relief * cover, 22.0))).astype(np.float32)


def _brightness(surface: Surface, light: Light, shadow: np.ndarray) -> np.ndarray:
    u, v = plane()
    weight = bump(u, v - 0.25, 0.5, 0.45)
    white = replace(surface, albedo=np.ones_like(surface.albedo), gloss=np.zeros_like(surface.gloss))
    lit = illuminate(white, light, shadow) ** 2.2
    return (lit * weight[..., None]).sum(axis=(0, 1)) / weight.sum()


def _paint_back(identity: Identity, light: Light) -> np.ndarray | None:
    hair = grow_back_hair(identity)
    if hair is None:
        return None
    surface = make_surface(hair.color, hair.relief, np.full_like(hair.relief, 0.02), UNIT)
    lit = illuminate(surface, light, cast_shadow(surface, light))
    return np.concatenate([lit, hair.cover[..., None]], axis=-1).astype(np.float32)
