"""Hair on the head: coverage, colour and relief of six styles."""

from typing import NamedTuple

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.geometry import half_width, silhouette, skull
from deepfake.sample.identities import Identity
from deepfake.sample.plane import SHAPE, cloud, plane, smoothstep
from deepfake.sample.skin import linear


class Hair(NamedTuple):
    """Hair in the plane: coverage (H, W), linear colour (H, W, 3), relief (H, W)."""

    cover: np.ndarray
    color: np.ndarray
    relief: np.ndarray


def grow_hair(identity: Identity) -> Hair:
    """The hair in front of and on the head."""
    rng = np.random.default_rng(derive_seed(identity.seed, "hair"))
    volume = _volume(identity)
    strands = _strands(identity, rng)
    ragged = 0.035 * strands if identity.hair_style != "buzz" else 0.02 * cloud(rng, SHAPE, 1.2)
    cover = _outline(identity, volume, rng) * _beside_face(identity, ragged)
    if identity.hair_style == "buzz":
        cover = cover * np.clip(0.72 + 0.12 * cloud(rng, SHAPE, 1.0), 0, 1)
    shade = np.clip(1 + 0.30 * strands, 0.35, 1.9)[..., None]
    relief = skull(identity.shape, volume) + 0.02 * strands
    return Hair(cover, linear(identity.hair) * shade, relief)


def grow_back_hair(identity: Identity) -> Hair | None:
    """Long hair that falls behind neck and shoulders; None for the other styles."""
    if identity.hair_style != "long":
        return None
    rng = np.random.default_rng(derive_seed(identity.seed, "back hair"))
    u, v = plane()
    width = (identity.shape.width + 0.24) * np.clip(1 - np.clip((v - 0.2) / 2.6, 0, 1) ** 2, 0, 1) ** 0.5
    locks = cloud(rng, (1, SHAPE[1]), 3.0)
    edge = np.abs(u) + 0.04 - np.where(v < 0, half_width(v, identity.shape, 0.24), width)
    cover = smoothstep(0.03, -0.03, edge + 0.02 * locks) * smoothstep(1.72, 1.5, v + 0.10 * locks)
    shade = np.clip(0.62 + 0.16 * locks, 0.2, 1.2)[..., None] * np.ones((*SHAPE, 1), dtype=np.float32)
    relief = 0.9 * np.clip(1 - (u / 1.4) ** 2, 0, 1) ** 0.5
    return Hair(cover, linear(identity.hair) * shade, relief)


def _volume(identity: Identity) -> float:
    extra = {"curly": 0.16, "buzz": -0.07, "long": 0.03}.get(identity.hair_style, 0.0)
    return max(0.015, identity.shape.hair_volume + extra)


def _outline(identity: Identity, volume: float, rng: np.random.Generator) -> np.ndarray:
    if identity.hair_style != "curly":
        return silhouette(identity.shape, volume)
    u, v = plane()
    rough = 0.05 * cloud(rng, SHAPE, 5)
    outline = np.abs(u) - half_width(v, identity.shape, volume) + rough + 0.03
    return smoothstep(0.02, -0.02, outline) * (v > -identity.shape.top - volume)


def _strands(identity: Identity, rng: np.random.Generator) -> np.ndarray:
    """Pattern (H, W) of locks that run from the crown outwards; lumps where the hair is curly."""
    if identity.hair_style == "curly":
        return 0.8 * cloud(rng, SHAPE, 2.6) + 0.4 * cloud(rng, SHAPE, 1.0)
    if identity.hair_style == "buzz":
        return 0.5 * cloud(rng, SHAPE, 1.0)
    u, v = plane()
    crown_u, crown_v = 0.55 * identity.shape.hair_part, -1.25
    angle = np.arctan2(u - crown_u, v - crown_v + 0.35) + 0.04 * cloud(rng, SHAPE, 12)
    locks = cloud(rng, (1, 1024), 5.0)[0] + 0.6 * cloud(rng, (1, 1024), 2.0)[0]
    place = ((angle / (2 * np.pi)) % 1.0) * 1023
    return np.interp(place.ravel(), np.arange(1024), locks).reshape(SHAPE).astype(np.float32) * 0.7


def _beside_face(identity: Identity, ragged: np.ndarray) -> np.ndarray:
    """Where hair may be: above the hairline, and down the sides as far as the style goes."""
    u, v = plane()
    shape = identity.shape
    hairline = shape.hairline
    if identity.hair_style == "fringe":
        hairline = shape.brow_height - 0.13 + 0.10 * shape.hair_part
    lean = 0.22 * shape.hair_part * u if identity.hair_style in ("parted", "long") else 0.0 * u
    peak = 0.30 * (np.abs(u - 0.6 * shape.hair_part) ** 1.2) if identity.hair_style == "parted" else 0.0 * u
    side = {"short": 0.96, "buzz": 0.97, "parted": 0.95}.get(identity.hair_style, 0.88) * shape.width
    height = np.maximum(
        0.12 - (hairline + lean + peak + ragged * (2.2 if identity.hair_style == "fringe" else 1.0)), 0.3
    )
    inside = (np.abs(u) / side) ** 3.4 + (np.clip(0.12 - v, 0, None) / height) ** 3.0
    hair = smoothstep(0.88, 1.08, inside + ragged)
    lowest = {"long": 1.7, "fringe": 0.16, "curly": 0.28}.get(identity.hair_style, 0.04)
    return hair * smoothstep(lowest + 0.10, lowest - 0.06, v + ragged)
