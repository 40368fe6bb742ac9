"""The sample in Celeb-DF v2's layout: other people in other light, filmed otherwise and forged better; test only."""

from pathlib import Path

from deepfake.params import SampleParams
from deepfake.runtime import derive_seed
from deepfake.sample.backgrounds import STAGE_BACKGROUNDS
from deepfake.sample.casting import Look, cast_people, deal, pair_tones, set_scenes
from deepfake.sample.identities import AVERAGE_RANGES, SKIN_TONES
from deepfake.sample.production import Encoding, Fake, Job, Original
from deepfake.sample.recipes import CELEB_METHOD
from deepfake.sample.screen import Screen

_RANGES = AVERAGE_RANGES | {
    "width": (0.88, 1.00),
    "chin": (1.34, 1.50),
    "jaw": (2.4, 3.5),
    "cheeks": (0.06, 0.17),
    "nose_length": (0.54, 0.66),
    "mouth_height": (0.88, 0.97),
    "brow_arch": (0.05, 0.13),
    "hair_volume": (0.12, 0.24),
}
LOOK = Look("celebdf", _RANGES, True, STAGE_BACKGROUNDS, (0.6, 1.0), (0.98, 1.12), 20, "faster")
ENCODING = Encoding(crf=28, preset="fast")
VIDEOS_PER_PERSON = 2


def plan_celebdf(seed: int, sample: SampleParams) -> list[Job]:
    """The work: one job per pair of people, and one per person of YouTube-real."""
    return _plan_pairs(seed, sample) + _plan_youtube(seed, sample)


def write_test_list(jobs: list[Job], root: Path) -> None:
    """Write List_of_testing_videos.txt as Celeb-DF ships it: 1 means real."""
    real = sorted(str(video.path) for job in jobs for video in job.originals)
    fake = sorted(str(video.path) for job in jobs for video in job.fakes)
    lines = [f"1 {path}\n" for path in real] + [f"0 {path}\n" for path in fake]
    (root / "List_of_testing_videos.txt").write_text("".join(lines), encoding="utf-8")


def _plan_pairs(seed: int, sample: SampleParams) -> list[Job]:
    people = cast_people(seed, LOOK, "celebs", pair_tones(seed, LOOK, "celebs", sample.cross_identities))
    shoots = [set_scenes(seed, LOOK, f"shoot {number}", people) for number in range(VIDEOS_PER_PERSON)]
    jobs = []
    for first in range(0, len(people), 2):
        originals, fakes = [], []
        for number, scenes in enumerate(shoots):
            for person, other in ((first, first + 1), (first + 1, first)):
                name = f"id{person}_{number:04d}"
                originals.append(Original(name, "Celeb-real", *scenes[person], Path("Celeb-real") / f"{name}.mp4"))
                fakes.append(_fake(seed, person, other, number))
        jobs.append(_job(sample, originals, fakes))
    return jobs


def _plan_youtube(seed: int, sample: SampleParams) -> list[Job]:
    tones = deal(SKIN_TONES, sample.cross_youtube, derive_seed(seed, LOOK.name, "youtube", "tones"))
    scenes = set_scenes(seed, LOOK, "youtube", cast_people(seed, LOOK, "youtube", tones))
    originals = [
        Original(f"{number:05d}", "YouTube-real", scene, light, Path("YouTube-real") / f"{number:05d}.mp4")
        for number, (scene, light) in enumerate(scenes)
    ]
    return [_job(sample, [original], []) for original in originals]


def _fake(seed: int, target: int, source: int, number: int) -> Fake:
    name = f"id{target}_id{source}_{number:04d}"
    return Fake(
        name=name,
        method=CELEB_METHOD,
        seed=derive_seed(seed, LOOK.name, name),
        target=f"id{target}_{number:04d}",
        source=f"id{source}_{number:04d}",
        source_person=f"id{source}",
        path=Path(CELEB_METHOD) / f"{name}.mp4",
        mask=Path("masks") / CELEB_METHOD / f"{name}.mp4",
    )


def _job(sample: SampleParams, originals: list[Original], fakes: list[Fake]) -> Job:
    return Job(tuple(originals), tuple(fakes), Screen(sample.width, sample.height), sample.frames, ENCODING)
