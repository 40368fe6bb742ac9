"""Who appears where: attributes are dealt out evenly, so that none of them tells a label or a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.camera import NOISE_LEVELS, Camera
from deepfake.sample.identities import HAIR_STYLES, SKIN_TONES, Identity, draw_identity
from deepfake.sample.lighting import LIGHT_NAMES, draw_light
from deepfake.sample.scene import Scene

Value = TypeVar("Value")


@dataclass(frozen=True)
class Look:
    """What all videos of a dataset have in common.

    Attributes:
        name: of the dataset; part of every seed.
        ranges: of the heads' measures.
        stage: whether lights are those of a stage.
        backgrounds: kinds of places.
        blur, contrast: ranges of the cameras' blur and contrast.
        camera_crf, camera_preset: of the cameras' encodings.
    """

    name: str
    ranges: dict[str, tuple[float, float]]
    stage: bool
    backgrounds: tuple[str, ...]
    blur: tuple[float, float]
    contrast: tuple[float, float]
    camera_crf: int
    camera_preset: str


def deal(values: Sequence[Value], count: int, seed: int) -> list[Value]:
    """`count` values in drawn order, each about equally often."""
    rng = np.random.default_rng(seed)
    offset = int(rng.integers(len(values)))
    hand = [values[(offset + number) % len(values)] for number in range(count)]
    return [hand[index] for index in rng.permutation(count)]


def cast_people(seed: int, look: Look, group: str, skin_tones: Sequence[str]) -> list[Identity]:
    """One person for every skin tone in the list; hair is dealt out evenly."""
    styles = deal(HAIR_STYLES, len(skin_tones), derive_seed(seed, look.name, group, "hair"))
    return [
        draw_identity(derive_seed(seed, look.name, group, number), tone, style, look.ranges)
        for number, (tone, style) in enumerate(zip(skin_tones, styles, strict=True))
    ]


def pair_tones(seed: int, look: Look, group: str, people: int) -> list[str]:
    """Skin tones of people who forge each other in pairs: equal within a pair, and each about equally often."""
    tones = deal(SKIN_TONES, people // 2, derive_seed(seed, look.name, group, "tones"))
    return [tone for tone in tones for _ in range(2)]


def set_scenes(seed: int, look: Look, group: str, people: Sequence[Identity]) -> list[tuple[Scene, str]]:
    """A scene for every person, with the name of its light; lights, places and noise are dealt out evenly."""

    def dealt(values: Sequence[str], what: str) -> list[str]:
        return deal(values, len(people), derive_seed(seed, look.name, group, what))

    lights, places, noises = dealt(LIGHT_NAMES, "light"), dealt(look.backgrounds, "place"), dealt(NOISE_LEVELS, "noise")
    scenes = []
    for number, person in enumerate(people):
        own = derive_seed(seed, look.name, group, number, "scene")
        light = draw_light(own, lights[number], stage=look.stage)
        scenes.append((Scene(own, person, light, places[number], _camera(own, look, noises[number])), lights[number]))
    return scenes


def _camera(seed: int, look: Look, noise: str) -> Camera:
    rng = np.random.default_rng(derive_seed(seed, "camera"))
    blur, contrast = float(rng.uniform(*look.blur)), float(rng.uniform(*look.contrast))
    return Camera(noise, blur, contrast, look.camera_crf, look.camera_preset)
