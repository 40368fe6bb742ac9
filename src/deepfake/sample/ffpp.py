"""The sample in FaceForensics++'s layout: pairs of people who forge each other by four methods, in three splits."""

import json
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from deepfake.params import SampleParams
from deepfake.runtime import derive_seed
from deepfake.sample.backgrounds import HOME_BACKGROUNDS
from deepfake.sample.casting import Look, cast_people, pair_tones, set_scenes
from deepfake.sample.identities import AVERAGE_RANGES
from deepfake.sample.production import Encoding, Fake, Job, Original
from deepfake.sample.recipes import FFPP_METHODS
from deepfake.sample.screen import Screen

LOOK = Look("ffpp", AVERAGE_RANGES, False, HOME_BACKGROUNDS, (0.5, 0.8), (0.92, 1.04), 18, "veryfast")
ENCODING = Encoding(crf=23, preset="veryfast")
_ORIGINALS = Path("original_sequences/youtube/c23/videos")


def plan_splits(sample: SampleParams) -> dict[str, list[tuple[str, str]]]:
    """Pairs of people by split; a person is named by three digits."""
    sizes = {"train": sample.train_identities, "val": sample.val_identities, "test": sample.test_identities}
    splits, first = {}, 0
    for split, size in sizes.items():
        splits[split] = [(f"{number:03d}", f"{number + 1:03d}") for number in range(first, first + size, 2)]
        first += size
    return splits


def write_splits(sample: SampleParams, root: Path) -> None:
    """Write splits/{train,val,test}.json as FaceForensics++ ships them."""
    folder = root / "splits"
    folder.mkdir(parents=True)
    for split, pairs in plan_splits(sample).items():
        (folder / f"{split}.json").write_text(json.dumps(pairs) + "\n", encoding="utf-8")


def plan_ffpp(seed: int, sample: SampleParams) -> list[Job]:
    """The work: one job per pair."""
    return [job for split, pairs in plan_splits(sample).items() for job in _plan_split(seed, sample, split, pairs)]


def _plan_split(seed: int, sample: SampleParams, split: str, pairs: list[tuple[str, str]]) -> list[Job]:
    people = cast_people(seed, LOOK, split, pair_tones(seed, LOOK, split, 2 * len(pairs)))
    # Who is forged twice and who once get lights, places and noise dealt out separately: forging shifts no attribute.
    twice = set_scenes(seed, LOOK, f"{split} twice", people[::2])
    once = set_scenes(seed, LOOK, f"{split} once", people[1::2])
    order = np.random.default_rng(derive_seed(seed, split, "methods")).permutation(len(FFPP_METHODS))
    methods = cycle(FFPP_METHODS[index] for index in order)
    jobs = []
    for pair, *scenes in zip(pairs, twice, once, strict=True):
        originals = tuple(
            Original(name, "original", scene, light, _ORIGINALS / f"{name}.mp4")
            for name, (scene, light) in zip(pair, scenes, strict=True)
        )
        first, second = pair
        targets = ((first, second), (first, second), (second, first))
        fakes = tuple(_fake(seed, method, *names) for method, names in zip(islice(methods, 3), targets, strict=True))
        jobs.append(Job(originals, fakes, Screen(sample.width, sample.height), sample.frames, ENCODING))
    return jobs


def _fake(seed: int, method: str, target: str, source: str) -> Fake:
    name = f"{target}_{source}"
    folder = Path("manipulated_sequences") / method
    return Fake(
        name=name,
        method=method,
        seed=derive_seed(seed, LOOK.name, method, name),
        target=target,
        source=source,
        source_person=source,
        path=folder / "c23/videos" / f"{name}.mp4",
        mask=folder / "masks/videos" / f"{name}.mp4",
    )
