"""What is painted on a head: skin, brows, lips, beard. Colours are linear light, not sRGB."""

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.geometry import lip_line
from deepfake.sample.identities import Color, Identity
from deepfake.sample.plane import SHAPE, blend, bump, cloud, plane, smoothstep


def linear(color: Color) -> np.ndarray:
    """An sRGB colour in [0, 1] as linear light, (3,)."""
    return np.asarray(color, dtype=np.float32) ** 2.2


def paint_skin(identity: Identity) -> np.ndarray:
    """Colour (H, W, 3) of the head's skin with lids closed and lips together."""
    rng = np.random.default_rng(derive_seed(identity.seed, "skin"))
    skin = np.broadcast_to(linear(identity.skin), (*SHAPE, 3))
    skin = (
        skin
        * (1 + 0.035 * cloud(rng, SHAPE, 1.2) + 0.04 * cloud(rng, SHAPE, 3.5) + 0.04 * cloud(rng, SHAPE, 9))[..., None]
    )
    skin = _flush(skin, identity)
    skin = _freckles(skin, identity, rng)
    skin = _rings(skin, identity)
    skin = _beard(skin, identity, rng)
    skin = _nostrils(skin, identity)
    skin = _lips(skin, identity, rng)
    return _brows(skin, identity, rng).astype(np.float32)


def _flush(skin: np.ndarray, identity: Identity) -> np.ndarray:
    u, v = plane()
    shape = identity.shape
    red = bump(np.abs(u) - 0.52, v - 0.45, 0.26, 0.20) + 0.8 * bump(u, v - shape.nose_length * 0.93, 0.16, 0.12)
    red = red + 0.6 * smoothstep(0.95, 1.05, np.abs(u) / shape.width)
    share = np.clip(red, 0, 1) * (0.10 + 0.16 * identity.flush)
    return skin * (1 - share[..., None] * np.array([0.05, 0.55, 0.45], dtype=np.float32))


def _freckles(skin: np.ndarray, identity: Identity, rng: np.random.Generator) -> np.ndarray:
    u, v = plane()
    spots = smoothstep(1.3, 2.2, cloud(rng, SHAPE, 1.6)) * bump(np.abs(u) - 0.35, v - 0.33, 0.45, 0.28)
    skin = blend(skin, skin * np.array([0.62, 0.45, 0.35], dtype=np.float32), 0.8 * identity.freckles * spots)
    moles = int(rng.integers(0, 3))
    for _ in range(moles):
        mole = bump(u - rng.uniform(-0.6, 0.6), v - rng.uniform(-0.6, 1.1), 0.022, 0.022)
        skin = blend(skin, skin * 0.35, 0.8 * mole)
    return skin


def _rings(skin: np.ndarray, identity: Identity) -> np.ndarray:
    u, v = plane()
    shape = identity.shape
    ring = bump(np.abs(u) - shape.eye_distance + 0.03, v - 0.19, 0.22, 0.07)
    lid = bump(np.abs(u) - shape.eye_distance, v + 0.10, 0.24, 0.09)
    skin = skin * (1 - 0.30 * (identity.tired * ring)[..., None] * np.array([0.8, 1.0, 0.9], dtype=np.float32))
    return skin * (1 - 0.16 * lid[..., None] * np.array([0.8, 1.0, 1.0], dtype=np.float32))


def _beard(skin: np.ndarray, identity: Identity, rng: np.random.Generator) -> np.ndarray:
    if identity.beard == 0:
        return skin
    u, v = plane()
    shape = identity.shape
    cheek = smoothstep(-0.10, 0.12, v - 0.62 - 0.55 * (np.abs(u) / shape.width < 0.85) * (0.85 - np.abs(u)) ** 2)
    lips = bump(u, v - shape.mouth_height - 0.02, shape.mouth_width * 1.15, shape.lower_lip * 1.25)
    under_nose = smoothstep(0.02, 0.07, v - shape.nose_length)
    area = cheek * under_nose * (1 - np.clip(1.5 * lips, 0, 1))
    grain = np.clip(0.75 + 0.35 * cloud(rng, SHAPE, 1.0), 0, 1)
    color = linear(identity.hair) * 0.8 + 0.05 * linear(identity.skin)
    return blend(skin, np.broadcast_to(color, skin.shape), identity.beard * 0.85 * area * grain)


def _nostrils(skin: np.ndarray, identity: Identity) -> np.ndarray:
    u, v = plane()
    shape = identity.shape
    du = np.abs(u) - 0.48 * shape.nose_width
    hole = bump(du, v - shape.nose_length * 1.02 - 0.25 * du, 0.05, 0.022)
    return skin * (1 - 0.65 * np.clip(1.4 * hole, 0, 1)[..., None])


def _lips(skin: np.ndarray, identity: Identity, rng: np.random.Generator) -> np.ndarray:
    u, v = plane()
    shape = identity.shape
    x = np.clip(np.abs(u) / shape.mouth_width, 0, 1.2)
    dv = v - lip_line(u, shape)
    bow = 1 - 0.22 * np.exp(-((x / 0.16) ** 2)) + 0.06 * np.exp(-(((x - 0.28) / 0.2) ** 2))
    upper = shape.upper_lip * 1.15 * bow * np.clip(1 - x**1.8, 0, 1)
    lower = shape.lower_lip * 1.15 * np.clip(1 - x**2.4, 0, 1) ** 0.8
    cover = smoothstep(0.022, -0.022, -dv - upper) * smoothstep(0.022, -0.022, dv - lower) * (x < 1.03)
    tint = linear(identity.lips) * (1 + 0.10 * cloud(rng, SHAPE, 1.0))[..., None]
    tint = tint * np.where(dv < 0, 0.82, 1.0)[..., None]
    skin = blend(skin, tint, 0.85 * cover)
    line = np.exp(-((dv / 0.016) ** 2)) * smoothstep(1.12, 0.95, x)
    return skin * (1 - 0.72 * line[..., None])


def _brows(skin: np.ndarray, identity: Identity, rng: np.random.Generator) -> np.ndarray:
    u, v = plane()
    shape = identity.shape
    x = (np.abs(u) - shape.eye_distance) / (1.35 * shape.eye_width)  # -1 at the nose, 1 at the temple
    line = shape.brow_height - shape.brow_arch * (0.6 - (x - 0.25) ** 2) - 0.10 * shape.brow_tilt * x
    thickness = shape.brow_thickness * np.clip(1.05 - 0.28 * x, 0.35, 1.3)
    cover = np.exp(-(np.abs((v - line) / thickness) ** 2.4)) * smoothstep(1.15, 0.75, np.abs(x))
    hairs = np.clip(0.9 + 0.15 * cloud(rng, SHAPE, 0.9), 0, 1)
    return blend(skin, np.broadcast_to(linear(identity.brows), skin.shape), 0.92 * cover * hairs)
