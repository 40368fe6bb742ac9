"""How each forgery method goes wrong, and how badly in one video.

Every recipe is a manipulation of the face as its method really makes it. Strengths range from crude to hard and are
chosen by how much of a forgery an attacker could undo within a budget (the columns undo_* of attributes.csv), and
not by what any detector finds.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.identities import Color

FFPP_METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
CELEB_METHOD = "Celeb-synthesis"

Region = Literal["face", "mouth"]


@dataclass(frozen=True)
class Recipe:
    """One forged video.

    Attributes:
        swap: the source's face in the target's expression; else the target's face in the source's expression.
        own_light: the pasted face keeps the light it was filmed in; else it is painted in the target's light.
        light_error: the pasted face's light comes from this far beside the target's (right, down).
        region: what is replaced.
        edge: width of the seam, in units.
        fringe: how dark the seam is, because the made face was drawn on black and its rim mixes with it.
        detail: share of the resolution that the synthesis keeps.
        match: how far the colours are matched to the target's, 0 to 1.
        tint: what the colour matching gets wrong, as a factor per channel.
        contrast, saturation: of the pasted face, relative to what they should be.
        slope: brightness that the synthesis adds from left to right and from top to bottom, in [0, 1] per unit.
        shift, scale, roll: where the pasted face sits wrongly: units, factor, radians.
        jitter: how far it trembles from frame to frame, in units.
        flicker: how much its brightness changes from frame to frame.
    """

    swap: bool
    own_light: bool
    light_error: tuple[float, float]
    region: Region
    edge: float
    fringe: float
    detail: float
    match: float
    tint: Color
    contrast: float
    saturation: float
    slope: tuple[float, float]
    shift: tuple[float, float]
    scale: float
    roll: float
    jitter: float
    flicker: float


def draw_recipe(method: str, seed: int) -> Recipe:
    """The recipe of one video of a method."""
    rng = np.random.default_rng(derive_seed(seed, "recipe"))
    recipes = (_deepfakes, _face2face, _faceswap, _neural_textures, _celeb_synthesis)
    draw = dict(zip((*FFPP_METHODS, CELEB_METHOD), recipes, strict=True))[method]
    return draw(rng, float(rng.uniform()))


def _deepfakes(rng: np.random.Generator, crude: float) -> Recipe:
    """An autoencoder's small face, scaled up, in colours that nearly fit, under a soft mask."""
    return Recipe(
        swap=True,
        own_light=False,
        light_error=(_off(rng, 0.2, 0.8), _off(rng, 0.0, 0.3)),
        region="face",
        edge=float(rng.uniform(0.06, 0.16)),
        fringe=float(rng.uniform(0.0, 0.12)),
        detail=_between(0.18, 0.09, crude),
        match=float(rng.uniform(0.6, 0.9)),
        tint=_tint(rng, _between(0.07, 0.20, crude), 0.07),
        contrast=_between(0.90, 0.60, crude),
        saturation=float(rng.uniform(0.75, 1.0)),
        slope=(_off(rng, 0.0, 0.05), _off(rng, 0.0, 0.05)),
        shift=(_off(rng, 0.0, 0.03), _off(rng, 0.0, 0.04)),
        scale=float(rng.uniform(0.95, 1.06)),
        roll=_off(rng, 0.0, 0.03),
        jitter=0.008,
        flicker=0.01,
    )


def _face2face(rng: np.random.Generator, crude: float) -> Recipe:
    """The target's own face, rendered with another's expression from a model of it that has not quite its light."""
    return Recipe(
        swap=False,
        own_light=False,
        light_error=(_off(rng, 0.4, 1.1), _off(rng, 0.1, 0.5)),
        region="face",
        edge=float(rng.uniform(0.05, 0.12)),
        fringe=_between(0.06, 0.22, crude),
        detail=_between(0.32, 0.16, crude),
        match=float(rng.uniform(0.5, 0.8)),
        tint=_tint(rng, _between(0.05, 0.14, crude), 0.04),
        contrast=_between(0.90, 0.65, crude),
        saturation=_between(0.70, 0.40, crude),
        slope=(_off(rng, 0.02, 0.08), _off(rng, 0.0, 0.06)),
        shift=(_off(rng, 0.01, 0.03), _off(rng, 0.02, 0.05)),
        scale=float(rng.uniform(0.96, 1.05)),
        roll=_off(rng, 0.0, 0.02),
        jitter=0.010,
        flicker=0.01,
    )


def _faceswap(rng: np.random.Generator, crude: float) -> Recipe:
    """The source's face laid over the target's by few landmarks: its own light, a hard edge, doubled brows."""
    return Recipe(
        swap=True,
        own_light=True,
        light_error=(0.0, 0.0),
        region="face",
        edge=_between(0.09, 0.05, crude),
        fringe=_between(0.15, 0.42, crude),
        detail=float(rng.uniform(0.6, 1.0)),
        match=_between(0.7, 0.35, crude),
        tint=_tint(rng, _between(0.12, 0.26, crude), 0.06),
        contrast=_between(1.15, 1.5, crude),
        saturation=float(rng.uniform(1.0, 1.4)),
        slope=(_off(rng, 0.0, 0.06), _off(rng, 0.0, 0.06)),
        shift=(_off(rng, 0.01, 0.05), _off(rng, 0.02, 0.08)),
        scale=float(rng.uniform(0.90, 1.10)),
        roll=_off(rng, 0.01, 0.06),
        jitter=0.018,
        flicker=0.015,
    )


def _neural_textures(rng: np.random.Generator, crude: float) -> Recipe:
    """Only the mouth is synthesised: smoother than its surroundings, a little off in place and colour."""
    return Recipe(
        swap=False,
        own_light=False,
        light_error=(_off(rng, 0.2, 0.7), _off(rng, 0.2, 0.5)),
        region="mouth",
        edge=float(rng.uniform(0.06, 0.12)),
        fringe=float(rng.uniform(0.0, 0.12)),
        detail=_between(0.13, 0.07, crude),
        match=float(rng.uniform(0.6, 0.9)),
        tint=_tint(rng, _between(0.09, 0.20, crude), 0.05),
        contrast=_between(0.75, 0.40, crude),
        saturation=float(rng.uniform(0.9, 1.2)),
        slope=(_off(rng, 0.0, 0.06), _off(rng, 0.0, 0.06)),
        shift=(_off(rng, 0.01, 0.05), _off(rng, 0.01, 0.05)),
        scale=float(rng.uniform(0.92, 1.10)),
        roll=_off(rng, 0.0, 0.05),
        jitter=0.012,
        flicker=0.015,
    )


def _celeb_synthesis(rng: np.random.Generator, crude: float) -> Recipe:
    """A better autoencoder: larger faces, better colours, softer masks, steadier."""
    return Recipe(
        swap=True,
        own_light=False,
        light_error=(_off(rng, 0.2, 0.8), _off(rng, 0.0, 0.3)),
        region="face",
        edge=float(rng.uniform(0.14, 0.26)),
        fringe=0.0,
        detail=_between(0.32, 0.15, crude),
        match=float(rng.uniform(0.7, 0.95)),
        tint=_tint(rng, _between(0.03, 0.12, crude), 0.05),
        contrast=_between(0.96, 0.76, crude),
        saturation=float(rng.uniform(0.8, 1.05)),
        slope=(_off(rng, 0.0, 0.05), _off(rng, 0.0, 0.05)),
        shift=(_off(rng, 0.0, 0.03), _off(rng, 0.0, 0.03)),
        scale=float(rng.uniform(0.96, 1.05)),
        roll=_off(rng, 0.0, 0.02),
        jitter=0.004,
        flicker=0.005,
    )


def _between(hard: float, crude: float, share: float) -> float:
    return hard + (crude - hard) * share


def _off(rng: np.random.Generator, low: float, high: float) -> float:
    """An error of a size between low and high, to either side."""
    return float(rng.uniform(low, high) * rng.choice((-1.0, 1.0)))


def _tint(rng: np.random.Generator, level: float, hue: float) -> Color:
    gain = 1 + _off(rng, 0.8 * level, 1.2 * level)
    red, green, blue = (gain * (1 + hue * float(rng.uniform(-1, 1))) for _ in range(3))
    return red, green, blue
