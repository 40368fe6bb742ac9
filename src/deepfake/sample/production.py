"""One unit of work: film a few people who forge each other, and write their videos, fakes and masks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake.sample.forging import forge
from deepfake.sample.recipes import draw_recipe
from deepfake.sample.scene import Scene, Take, film
from deepfake.sample.screen import Screen
from deepfake.video.encoding import write_h264


@dataclass(frozen=True)
class VideoAttributes:
    """A row of attributes.csv: what is known of one video. The undo shares of an original are 0."""

    method: str
    video: str
    skin_tone: str
    light: str
    hair: str
    background: str
    noise: str
    source: str
    undo_1: float
    undo_2: float
    undo_4: float
    undo_8: float


@dataclass(frozen=True)
class Original:
    """A video to film: the scene, its light's name, and the file to write."""

    name: str
    method: str
    scene: Scene
    light: str
    path: Path


@dataclass(frozen=True)
class Fake:
    """A video to forge: names of the target's and the source's originals, and the files to write."""

    name: str
    method: str
    seed: int
    target: str
    source: str
    source_person: str
    path: Path
    mask: Path


@dataclass(frozen=True)
class Encoding:
    """How a dataset's videos are encoded for the last time."""

    crf: int
    preset: str


@dataclass(frozen=True)
class Job:
    """People who forge each other: nothing outside of a job is needed to do it."""

    originals: tuple[Original, ...]
    fakes: tuple[Fake, ...]
    screen: Screen
    frames: int
    encoding: Encoding


def produce(job: Job, root: Path) -> list[VideoAttributes]:
    """Write a job's files below `root` and describe its videos."""
    takes = {original.name: film(original.scene, job.screen, job.frames) for original in job.originals}
    rows = []
    for original in job.originals:
        _write(root / original.path, takes[original.name].frames, job.encoding)
        rows.append(_describe(original, original.method, original.name, "", (0.0,) * 4))
    originals = {original.name: original for original in job.originals}
    for fake in job.fakes:
        undo = _forge(fake, takes, job.encoding, root)
        rows.append(_describe(originals[fake.target], fake.method, fake.name, fake.source_person, undo))
    return rows


def _forge(fake: Fake, takes: dict[str, Take], encoding: Encoding, root: Path) -> tuple[float, ...]:
    recipe = draw_recipe(fake.method, fake.seed)
    forgery = forge(takes[fake.target], takes[fake.source], recipe, fake.seed)
    _write(root / fake.path, forgery.frames, encoding)
    masks = (np.repeat(mask[..., None], 3, axis=-1).astype(np.uint8) * 255 for mask in forgery.masks)
    _write(root / fake.mask, masks, Encoding(crf=20, preset="veryfast"))
    return forgery.undo


def _write(path: Path, frames: Iterable[np.ndarray], encoding: Encoding) -> None:
    write_h264(path, frames, crf=encoding.crf, preset=encoding.preset)


def _describe(original: Original, method: str, name: str, source: str, undo: tuple[float, ...]) -> VideoAttributes:
    scene = original.scene
    return VideoAttributes(
        method,
        name,
        scene.identity.skin_tone,
        original.light,
        scene.identity.hair_style,
        scene.background,
        scene.camera.noise,
        source,
        *undo,
    )
