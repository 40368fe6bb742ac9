"""Who appears where: nothing about a person or a scene may tell a label or a split."""

from collections import Counter
from pathlib import Path

import pytest

from deepfake.params import load_params
from deepfake.sample.casting import deal
from deepfake.sample.celebdf import plan_celebdf
from deepfake.sample.ffpp import plan_ffpp, plan_splits
from deepfake.sample.production import Job, Original
from deepfake.sample.recipes import FFPP_METHODS

SAMPLE = load_params(Path(__file__).parents[2] / "params.yaml").sample
SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def jobs() -> dict[str, list[Job]]:
    owner = {name: split for split, pairs in plan_splits(SAMPLE).items() for pair in pairs for name in pair}
    grouped: dict[str, list[Job]] = {split: [] for split in SPLITS}
    for job in plan_ffpp(1, SAMPLE):
        grouped[owner[job.originals[0].name]].append(job)
    return grouped


def _attributes(original: Original) -> dict[str, str]:
    scene = original.scene
    return {"skin": scene.identity.skin_tone, "light": original.light, "noise": scene.camera.noise,
            "background": scene.background}  # fmt: skip


def _shares(originals: list[Original], attribute: str) -> dict[str, float]:
    counts = Counter(_attributes(original)[attribute] for original in originals)
    return {value: count / len(originals) for value, count in counts.items()}


def _targets(jobs: list[Job]) -> list[Original]:
    return [
        original for job in jobs for fake in job.fakes for original in job.originals if original.name == fake.target
    ]


def test_dealing_gives_every_value_equally_often() -> None:
    counts = Counter(deal("abcd", 42, seed=3))
    assert set(counts) == set("abcd")
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("split", SPLITS)
def test_methods_are_equally_frequent_in_every_split(split: str, jobs: dict[str, list[Job]]) -> None:
    counts = Counter(fake.method for job in jobs[split] for fake in job.fakes)
    assert set(counts) == set(FFPP_METHODS)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("attribute", ["skin", "light", "noise", "background"])
def test_originals_and_fakes_share_the_distribution_of_every_attribute(
    split: str, attribute: str, jobs: dict[str, list[Job]]
) -> None:
    real = _shares([original for job in jobs[split] for original in job.originals], attribute)
    fake = _shares(_targets(jobs[split]), attribute)
    assert real.keys() == fake.keys()
    assert all(abs(real[value] - fake[value]) < 0.05 for value in real)
    assert max(real.values()) - min(real.values()) < 0.08


def test_nobody_appears_in_two_jobs_or_two_datasets() -> None:
    people = [
        {original.scene.identity.seed for original in job.originals}
        for job in plan_ffpp(1, SAMPLE) + plan_celebdf(1, SAMPLE)
    ]
    assert sum(map(len, people)) == len(set().union(*people)) == 142 + 50 + 20


def test_celebdf_has_at_least_a_hundred_videos_of_either_label() -> None:
    jobs = plan_celebdf(1, SAMPLE)
    assert sum(len(job.originals) for job in jobs) == 120
    assert sum(len(job.fakes) for job in jobs) == 100


def test_another_seed_gives_other_people() -> None:
    assert plan_ffpp(1, SAMPLE)[0].originals[0].scene.identity != plan_ffpp(2, SAMPLE)[0].originals[0].scene.identity
