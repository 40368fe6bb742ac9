"""How heads move: nodding, turning, swaying, blinking, speaking. Tracks are drawn from a seed and know no label."""

from dataclasses import dataclass

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.expression import Expression


@dataclass(frozen=True)
class Pose:
    """Where a head is in the picture.

    Attributes:
        x, y: shift of the point between the eyes from its usual place, in units.
        roll, yaw, pitch: radians; positive turns clockwise, to the right, downwards.
        scale: size relative to the usual size.
    """

    x: float
    y: float
    roll: float
    yaw: float
    pitch: float
    scale: float


def draw_poses(seed: int, frames: int) -> list[Pose]:
    """A head's movement through a video."""
    rng = np.random.default_rng(derive_seed(seed, "pose"))
    x = rng.uniform(-0.35, 0.35) + _sway(rng, frames, 0.07)
    y = rng.uniform(-0.12, 0.12) + _sway(rng, frames, 0.05)
    roll = rng.uniform(-0.06, 0.06) + _sway(rng, frames, 0.04)
    yaw = rng.uniform(-0.14, 0.14) + _sway(rng, frames, 0.10)
    pitch = rng.uniform(-0.06, 0.08) + _sway(rng, frames, 0.05)
    scale = rng.uniform(0.92, 1.08) * (1 + _sway(rng, frames, 0.012))
    return [Pose(*(float(value) for value in row)) for row in zip(x, y, roll, yaw, pitch, scale, strict=True)]


def draw_expressions(seed: int, frames: int) -> list[Expression]:
    """What a face does through a video: it speaks most of the time and blinks every second or two."""
    rng = np.random.default_rng(derive_seed(seed, "expression"))
    time = np.arange(frames)
    lids = np.full(frames, rng.uniform(0.82, 1.0)) + _sway(rng, frames, 0.03)
    for start in np.cumsum(rng.uniform(12, 45, size=2 + frames // 12)) - 10:
        lids *= 1 - np.exp(-(((time - start) / 1.6) ** 2))
    gaze_u = rng.uniform(-0.15, 0.15) + _sway(rng, frames, 0.08)
    gaze_v = rng.uniform(-0.05, 0.05) + _sway(rng, frames, 0.03)
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * (time / rng.uniform(5, 8) + rng.uniform()))
    loudness = np.clip(rng.uniform(0.3, 0.9) + _sway(rng, frames, 0.5), 0.02, 1)
    jaw = 0.20 * syllables * loudness * rng.uniform(0.5, 1.0)
    smile = np.clip(rng.uniform(-0.01, 0.06) + _sway(rng, frames, 0.03), -0.02, 0.10)
    brows = np.clip(rng.uniform(-0.01, 0.03) + _sway(rng, frames, 0.03), -0.03, 0.08)
    moments = zip(lids, gaze_u, gaze_v, jaw, smile, brows, strict=True)
    return [
        Expression(float(lid), (float(right), float(down)), float(drop), float(draw), float(rise))
        for lid, right, down, drop, draw, rise in moments
    ]


def _sway(rng: np.random.Generator, frames: int, size: float) -> np.ndarray:
    """Smooth wandering (frames,) of about `size`: three slow waves with drawn phases, 25 frames a second."""
    time = np.arange(frames)[:, None] / 25
    rates = rng.uniform((0.15, 0.4, 0.8), (0.35, 0.8, 1.6))
    waves = np.sin(2 * np.pi * (rates * time + rng.uniform(size=3)))
    return size * (waves * (0.8, 0.5, 0.25)).sum(axis=1)
