"""In how many videos a face was found, and on whom the detector raises false alarms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.metrics.intervals import Interval, rate_interval
from deepfake.records import REAL, FaceVideo
from deepfake.reporting.conditions import CLEAN
from deepfake.reporting.scores import VIDEO, ScoreSet, select


@dataclass(frozen=True)
class CoverageRow:
    """How many videos of one split and class could be scored.

    Attributes:
        role, split, label: which videos.
        videos, faceless: how many there are, and how many of them have no face and thus no score.
        groups: of people who appear in one another's forgeries, among them.
        frames_wanted, frames_found: the same counted in frames.
        reasons: why frames are missing, with the number of videos, most frequent first.
    """

    role: str
    split: str
    label: int
    videos: int
    faceless: int
    groups: int
    frames_wanted: int
    frames_found: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FalseAlarmRow:
    """False positives among the real test videos of one group, at the deployed threshold.

    Attributes:
        model, role: which detector, on which dataset.
        trait, group: the group, as the dataset states it: `skin tone` or `light`, and its value.
        reals, false_positives: clean real videos with a face, and those of them that are called fake.
        interval: 95 % interval of their ratio, videos taken as independent.
    """

    model: str
    role: str
    trait: str
    group: str
    reals: int
    false_positives: int
    interval: Interval


def face_coverage(videos: Sequence[FaceVideo]) -> float:
    """Share of videos in which at least one face was found, in [0, 1]."""
    return sum(video.frames_found > 0 for video in videos) / len(videos)


def coverage_rows(scores: ScoreSet) -> list[CoverageRow]:
    """Coverage of every split and class that was to be scored."""
    groups: dict[tuple[str, int], list[FaceVideo]] = {}
    for video in scores.videos:
        groups.setdefault((video.split, video.label), []).append(video)
    order = {"train": 0, "val": 1, "test": 2}
    keys = sorted(groups, key=lambda key: (order.get(key[0], 3), key))
    return [_coverage_row(scores.role, key, groups[key]) for key in keys]


def _coverage_row(role: str, key: tuple[str, int], videos: Sequence[FaceVideo]) -> CoverageRow:
    reasons = Counter(video.reason or "not stated" for video in videos if video.frames_found < video.frames_wanted)
    return CoverageRow(
        role=role,
        split=key[0],
        label=key[1],
        videos=len(videos),
        faceless=sum(not video.frames_found for video in videos),
        groups=len({video.cluster for video in videos}),
        frames_wanted=sum(video.frames_wanted for video in videos),
        frames_found=sum(video.frames_found for video in videos),
        reasons=tuple(sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))),
    )


def false_alarm_rows(scores: ScoreSet) -> list[FalseAlarmRow]:
    """False positives by skin tone and by light; no rows for what the dataset does not state."""
    items = select(scores, CLEAN, VIDEO)
    called = items.scores >= scores.calibration.video_threshold
    groups: dict[tuple[str, str], list[bool]] = {}
    for video, is_called in zip(items.videos, called, strict=True):
        for trait, group in (("skin tone", video.skin_tone), ("light", video.light)):
            if video.label == REAL and group:
                groups.setdefault((trait, group), []).append(bool(is_called))
    keys = sorted(groups, key=lambda key: (key[0] != "skin tone", key))
    return [_false_alarm_row(scores, key, groups[key]) for key in keys]


def told_apart(rows: Sequence[FalseAlarmRow]) -> list[tuple[FalseAlarmRow, FalseAlarmRow]]:
    """Pairs of groups of one trait whose intervals do not meet, the one with fewer false positives first."""
    return [
        (low, high)
        for low in rows
        for high in rows
        if low.trait == high.trait and low.interval.high < high.interval.low
    ]


def _false_alarm_row(scores: ScoreSet, key: tuple[str, str], alarms: Sequence[bool]) -> FalseAlarmRow:
    interval = rate_interval(sum(alarms), len(alarms))
    return FalseAlarmRow(scores.model, scores.role, *key, len(alarms), sum(alarms), interval)
