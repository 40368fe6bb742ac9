"""Light on a relief: soft key light with shadows, sky light, skin that lets red light through, and a little gloss."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.identities import Color
from deepfake.sample.plane import UNIT, blurred

LIGHT_NAMES = ("frontal", "side", "dim", "warm")


@dataclass(frozen=True)
class Light:
    """One key light and the light from everywhere else.

    Attributes:
        direction: from the head to the key light: right, down, towards the camera. Any length.
        key, ambient: linear colours; their size is their strength.
        softness: 0 for a bare lamp, 1 for a large window: how far light wraps around, how faint shadows are.
    """

    direction: tuple[float, float, float]
    key: Color
    ambient: Color
    softness: float

    def turned(self, yaw: float, pitch: float) -> "Light":
        """The same light as a head that is turned by small angles (radians) sees it."""
        x, y, z = self.direction
        return replace(self, direction=(x - yaw * z, y - pitch * z, z + yaw * x + pitch * y))


def draw_light(seed: int, name: str, *, stage: bool = False) -> Light:
    """A light of one of LIGHT_NAMES; `stage` gives it the harder, more coloured look of a stage or an interview."""
    rng = np.random.default_rng(derive_seed(seed, "light"))
    sign = 1.0 if rng.uniform() < 0.5 else -1.0
    height = -float(rng.uniform(0.25, 0.75))
    tint = float(rng.uniform(-0.06, 0.06)) + (0.04 if stage else 0.0) * sign
    across = {"frontal": rng.uniform(0.0, 0.35), "side": rng.uniform(0.9, 1.5)}.get(name, rng.uniform(0.3, 0.9))
    level = {"dim": rng.uniform(0.42, 0.55)}.get(name, rng.uniform(0.85, 1.05))
    warmth = {"warm": rng.uniform(0.16, 0.26), "dim": rng.uniform(-0.12, 0.05)}.get(name, tint)
    key = 0.85 * level * (1.15 if stage else 1.0)
    sky = level * float(rng.uniform(0.26, 0.36)) * (0.72 if stage else 1.0) * (0.8 if name == "side" else 1.0)
    return Light(
        direction=(sign * float(across), height, 1.0),
        key=_tinted(key, float(warmth)),
        ambient=_tinted(sky, float(warmth) * 0.4 - 0.03 - (0.06 * sign if stage else 0.0)),
        softness=float(rng.uniform(0.35, 0.6) if stage else rng.uniform(0.5, 0.9)),
    )


@dataclass(frozen=True)
class Surface:
    """Something painted that light falls on.

    Attributes:
        albedo: linear colours (H, W, 3).
        gloss: strength of highlights (H, W).
        relief: height in units (H, W).
        normal: unit normals (H, W, 3).
        hollow: how much of the sky each point sees, (H, W) in [0, 1].
    """

    albedo: np.ndarray
    gloss: np.ndarray
    relief: np.ndarray
    normal: np.ndarray
    hollow: np.ndarray


def make_surface(albedo: np.ndarray, relief: np.ndarray, gloss: np.ndarray, unit: int) -> Surface:
    """The surface of a painted relief (H, W) whose unit is `unit` pixels."""
    relief = relief.astype(np.float32)
    down, right = np.gradient(blurred(relief, 1.2) * unit)
    slope = np.stack([-right, -down, np.ones_like(relief)], axis=-1)
    normal = slope / np.sqrt((slope**2).sum(axis=-1, keepdims=True))
    hollow = np.clip(1 - 2.2 * np.clip(blurred(relief, 0.10 * UNIT) - relief, 0, None), 0.35, 1)
    return Surface(albedo.astype(np.float32), gloss.astype(np.float32), relief, normal, hollow)


def illuminate(surface: Surface, light: Light, shadow: np.ndarray) -> np.ndarray:
    """sRGB (H, W, 3) in [0, 1] of a surface under a light; `shadow` (H, W) is what `cast_shadow` gave."""
    direction = _unit(light)
    facing = surface.normal @ direction
    wrap = np.array([0.40, 0.26, 0.20], dtype=np.float32) * np.float32(0.55 + 0.6 * light.softness)
    diffuse = np.clip((facing[..., None] + wrap) / (1 + wrap), 0, 1)
    seen = 1 - np.float32(0.75 - 0.35 * light.softness) * shadow
    sky = surface.hollow * (0.72 - 0.28 * surface.normal[..., 1]) * (0.55 + 0.45 * surface.normal[..., 2])
    key, ambient = np.asarray(light.key, dtype=np.float32), np.asarray(light.ambient, dtype=np.float32)
    lit = key * (diffuse * np.sqrt(np.sqrt(diffuse))) * seen[..., None] + ambient * sky[..., None]
    half = direction + np.array([0, 0, 1], dtype=np.float32)
    shine = np.clip(surface.normal @ (half / np.linalg.norm(half)), 0, 1) ** 22 * surface.gloss * seen
    return to_srgb(surface.albedo * lit * np.float32(1.15) + key * shine[..., None])


def cast_shadow(surface: Surface, light: Light) -> np.ndarray:
    """Shadow (H, W) in [0, 1] that a relief casts on itself, by walking from each point towards the light."""
    direction, relief = _unit(light), surface.relief
    shadow = np.zeros_like(relief)
    height, width = relief.shape
    for distance in np.linspace(0.05, 0.75, 10, dtype=np.float32):
        dx, dy = direction[0] * distance * UNIT, direction[1] * distance * UNIT
        move = np.array([[1, 0, -dx], [0, 1, -dy]], dtype=np.float32)
        ahead = cv2.warpAffine(relief, move, (width, height), flags=cv2.INTER_LINEAR)
        shadow = np.maximum(shadow, (ahead - relief - direction[2] * distance) / (0.05 + 0.25 * distance))
    return blurred(np.clip(shadow, 0, 1), 1.5)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB in [0, 1], with a soft shoulder instead of burnt highlights."""
    exposed = np.clip(linear, 0, None)
    bent = exposed * (1 + 0.12 * exposed) / np.sqrt(1 + 0.55 * exposed**2)
    return np.clip(bent, 0, 1) ** np.float32(1 / 2.2)


def _tinted(strength: float, warmth: float) -> Color:
    return strength * (1 + warmth), strength, strength * (1 - 1.4 * warmth)


def _unit(light: Light) -> np.ndarray:
    direction = np.asarray(light.direction, dtype=np.float32)
    return direction / np.linalg.norm(direction)
