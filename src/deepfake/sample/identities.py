"""People who do not exist: the shape of a head, its colours and its hair, drawn from a seed."""

from dataclasses import dataclass, fields, replace

import numpy as np

from deepfake.runtime import derive_seed

Color = tuple[float, float, float]

SKIN_TONES = ("I-II", "III-IV", "V-VI")  # Fitzpatrick groups
HAIR_STYLES = ("short", "parted", "fringe", "long", "curly", "buzz")

# Ends of each group's range, sRGB in [0, 1].
_SKIN: dict[str, tuple[Color, Color]] = {
    "I-II": ((0.95, 0.80, 0.71), (0.88, 0.70, 0.58)),
    "III-IV": ((0.80, 0.60, 0.46), (0.70, 0.49, 0.36)),
    "V-VI": ((0.55, 0.37, 0.27), (0.38, 0.25, 0.18)),
}
_HAIR: dict[str, tuple[Color, ...]] = {
    "I-II": (
        (0.62, 0.46, 0.27),
        (0.42, 0.27, 0.16),
        (0.50, 0.22, 0.10),
        (0.20, 0.14, 0.10),
        (0.30, 0.19, 0.12),
        (0.60, 0.58, 0.56),
    ),
    "III-IV": ((0.24, 0.15, 0.10), (0.12, 0.09, 0.08), (0.36, 0.23, 0.14), (0.45, 0.43, 0.42)),
    "V-VI": ((0.10, 0.08, 0.07), (0.16, 0.11, 0.08), (0.07, 0.06, 0.06), (0.13, 0.10, 0.09), (0.40, 0.39, 0.38)),
}
_IRIS: dict[str, tuple[Color, ...]] = {
    "I-II": ((0.34, 0.50, 0.62), (0.38, 0.50, 0.36), (0.42, 0.30, 0.18), (0.45, 0.50, 0.54)),
    "III-IV": ((0.36, 0.22, 0.12), (0.26, 0.15, 0.09), (0.40, 0.38, 0.22)),
    "V-VI": ((0.22, 0.13, 0.08), (0.28, 0.17, 0.10)),
}
_CLOTHES: tuple[Color, ...] = (
    (0.16, 0.20, 0.30),
    (0.62, 0.64, 0.66),
    (0.45, 0.14, 0.16),
    (0.15, 0.34, 0.30),
    (0.70, 0.55, 0.30),
    (0.13, 0.13, 0.15),
    (0.36, 0.46, 0.64),
    (0.78, 0.76, 0.70),
)


@dataclass(frozen=True)
class Shape:
    """A head's measures, in half widths of an average face unless they are exponents or angles."""

    width: float = 0.0
    top: float = 0.0
    chin: float = 0.0
    jaw: float = 0.0
    cheeks: float = 0.0
    brow_ridge: float = 0.0
    eye_distance: float = 0.0
    eye_width: float = 0.0
    eye_height: float = 0.0
    eye_tilt: float = 0.0
    brow_height: float = 0.0
    brow_thickness: float = 0.0
    brow_arch: float = 0.0
    brow_tilt: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_size: float = 0.0
    mouth_height: float = 0.0
    mouth_width: float = 0.0
    upper_lip: float = 0.0
    lower_lip: float = 0.0
    mouth_curve: float = 0.0
    ears: float = 0.0
    hairline: float = 0.0
    hair_volume: float = 0.0
    hair_part: float = 0.0


AVERAGE_RANGES: dict[str, tuple[float, float]] = {
    "width": (0.88, 0.98),
    "top": (1.28, 1.42),
    "chin": (1.26, 1.44),
    "jaw": (2.2, 3.2),
    "cheeks": (0.02, 0.10),
    "brow_ridge": (0.01, 0.08),
    "eye_distance": (0.38, 0.43),
    "eye_width": (0.19, 0.235),
    "eye_height": (0.085, 0.125),
    "eye_tilt": (-0.06, 0.14),
    "brow_height": (-0.34, -0.26),
    "brow_thickness": (0.040, 0.072),
    "brow_arch": (0.02, 0.10),
    "brow_tilt": (-0.10, 0.10),
    "nose_length": (0.50, 0.62),
    "nose_width": (0.14, 0.20),
    "nose_size": (0.22, 0.32),
    "mouth_height": (0.83, 0.91),
    "mouth_width": (0.27, 0.37),
    "upper_lip": (0.045, 0.085),
    "lower_lip": (0.065, 0.115),
    "mouth_curve": (0.0, 0.55),
    "ears": (0.20, 0.27),
    "hairline": (-1.00, -0.82),
    "hair_volume": (0.07, 0.15),
    "hair_part": (-0.5, 0.5),
}


@dataclass(frozen=True)
class Identity:
    """One person.

    Attributes:
        seed: of everything that is drawn later: skin texture, strands of hair.
        skin_tone: group of SKIN_TONES.
        skin, lips, hair, brows, iris, clothes: colours, sRGB in [0, 1].
        hair_style: one of HAIR_STYLES.
        beard: 0 for none to 1 for a full beard.
        freckles, flush, tired, age: strength in [0, 1] of freckles, red cheeks, rings under the eyes and folds.
        shape: measures of the head.
    """

    seed: int
    skin_tone: str
    skin: Color
    lips: Color
    hair: Color
    brows: Color
    iris: Color
    clothes: Color
    hair_style: str
    beard: float
    freckles: float
    flush: float
    tired: float
    age: float
    shape: Shape


def draw_identity(
    seed: int, skin_tone: str, hair_style: str, ranges: dict[str, tuple[float, float]] = AVERAGE_RANGES
) -> Identity:
    """The person who belongs to a seed, within a skin tone, a hair style and the ranges of the head's measures."""
    rng = np.random.default_rng(derive_seed(seed, "identity"))
    shape = Shape(**{field.name: float(rng.uniform(*ranges[field.name])) for field in fields(Shape)})
    light, deep = _SKIN[skin_tone]
    skin = mix(light, deep, float(rng.uniform()))
    hair = _one_of(rng, _HAIR[skin_tone])
    soft = float(rng.uniform())  # soft features: fuller lips, finer brows, no beard; as free as all the others
    shape = replace(
        shape,
        upper_lip=shape.upper_lip + 0.015 * soft,
        lower_lip=shape.lower_lip + 0.02 * soft,
        brow_thickness=shape.brow_thickness * (1.1 - 0.3 * soft),
        jaw=shape.jaw - 0.25 * soft,
    )
    bearded = hair_style != "long" and soft < 0.45 and rng.uniform() < 0.6
    return Identity(
        seed=seed,
        skin_tone=skin_tone,
        skin=skin,
        lips=mix(mix(skin, (0.72, 0.30, 0.30), 0.45), (0.66, 0.16, 0.20), 0.35 * soft),
        hair=hair,
        brows=mix(hair, (0.10, 0.07, 0.06), 0.5),
        iris=_one_of(rng, _IRIS[skin_tone]),
        clothes=_one_of(rng, _CLOTHES),
        hair_style=hair_style,
        beard=float(rng.uniform(0.3, 1.0)) if bearded else 0.0,
        freckles=float(rng.uniform() ** 3),
        flush=float(rng.uniform(0.2, 1.0)),
        tired=float(rng.uniform(0.1, 0.8)),
        age=float(rng.uniform(0.0, 0.9)),
        shape=shape,
    )


def mix(first: Color, second: Color, share: float) -> Color:
    """`first` with a share of `second`."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def _one_of(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return colors[int(rng.integers(len(colors)))]
