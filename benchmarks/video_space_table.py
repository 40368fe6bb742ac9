"""The tables of the experiment in video space: what a detector says of crops, and of crops of whole videos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deepfake.metrics.bootstrap import Resamples, percentile_interval, resample
from deepfake.metrics.ranking import Floats, Ranking, auc
from deepfake.records import FAKE, REAL, FaceVideo, FrameScore
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.wording import bounds, difference, number, percent

NO_ATTACK, CROP, VIDEO = "none", "crop", "video"
UNCOMPRESSED = -1  # in the place of a CRF

_ATTACKS = {NO_ATTACK: "none", "pgd": "PGD", "unet": "U-Net"}
_SPACES = {CROP: "crop", VIDEO: "whole video"}
_COLUMNS = ("model", "attack", "through", "AUC (95 %)", "minus crop space", "mean logit of fakes", "of reals",
            "fakes", "reals", "faces found")  # fmt: skip


class Way(NamedTuple):
    """What happens to a crop before the detector sees it.

    Attributes:
        attack: `none`, `pgd`, `unet`; of fakes only.
        space: `crop`, or `video`: pasted into its frame, encoded with it, found and cut again.
        crf: of H.264, or `UNCOMPRESSED`.
    """

    attack: str
    space: str
    crf: int = UNCOMPRESSED


@dataclass(frozen=True)
class Seen:
    """What a detector said after one way.

    Attributes:
        scores: of frames.
        videos: by the text form of their key; with the frames in which a face was wanted and found.
    """

    scores: Sequence[FrameScore]
    videos: Mapping[str, FaceVideo]


@dataclass(frozen=True)
class Line:
    """One row of the table; a video's logit is the mean of its frames'. NaN where there is no such number.

    Attributes:
        model, attack, space, crf: which detector, and the `Way`.
        auc, auc_low, auc_high: of videos, attacked fakes against reals that were not attacked, and its 95 % interval.
        change, change_low, change_high: that AUC minus the one of the same videos in crop space, with the same attack
            and codec.
        logit_fakes, logit_reals: means over videos.
        fakes, reals: videos that were scored.
        found: share of the fakes' frames in which the face was found again.
    """

    model: str
    attack: str
    space: str
    crf: int
    auc: float
    auc_low: float
    auc_high: float
    change: float
    change_low: float
    change_high: float
    logit_fakes: float
    logit_reals: float
    fakes: int
    reals: int
    found: float


def build_lines(model: str, seen: Mapping[Way, Seen], resamples: Resamples) -> Iterator[Line]:
    """A line for every way, in their order; ways through whole videos are compared with those in crop space.

    Raises:
        DataError: no face of one class was found again.
    """
    judged = {way: judge_videos(what, resamples) for way, what in seen.items()}
    for way, (items, value, samples) in judged.items():
        low, high = percentile_interval(samples)
        change, found = Estimate(np.nan), np.nan
        if way.space == VIDEO:
            in_crops = seen[way._replace(space=CROP)]
            scored = {score.video for score in seen[way].scores}
            same = [score for score in in_crops.scores if score.video in scored]
            _, crop_value, crop_samples = judge_videos(Seen(same, in_crops.videos), resamples)
            change = Estimate(value - crop_value, *percentile_interval(samples - crop_samples))
            found = _found_again(seen[way].videos)
        fakes, reals = (items.scores[items.labels == label] for label in (FAKE, REAL))
        yield Line(
            model, *way, _rounded(value), _rounded(low), _rounded(high),
            _rounded(change.value), _rounded(change.low), _rounded(change.high),
            _rounded(fakes.mean()), _rounded(reals.mean()), len(fakes), len(reals), _rounded(found),
        )  # fmt: skip


def to_markdown(lines: Sequence[Line], notes: Sequence[str]) -> str:
    """The lines as a Markdown table, and below it the notes as a list."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *map(_cells, lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return table + "\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"


def judge_videos(seen: Seen, resamples: Resamples) -> tuple[Items, float, Floats]:
    """The videos with their scores, their AUC, and the AUC on every resample."""
    videos = tuple(seen.videos[score.video] for score in seen.scores)
    names = tuple(f"{score.video}/{score.frame}" for score in seen.scores)
    items = to_videos(Items(names, videos, np.array([score.logit for score in seen.scores])))
    ranking = Ranking(items.scores, items.labels)
    return items, float(auc(ranking.roc())), resample({"auc": auc}, ranking, items.clusters, resamples)["auc"]


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _found_again(videos: Mapping[str, FaceVideo]) -> float:
    fakes = [video for video in videos.values() if video.label == FAKE]
    return sum(video.frames_found for video in fakes) / sum(video.frames_wanted for video in fakes)


def _cells(line: Line) -> tuple[str, ...]:
    codec = "" if line.crf == UNCOMPRESSED else f", H.264 CRF {line.crf}"
    auc_cell = _with_bounds(number(line.auc), Estimate(line.auc, line.auc_low, line.auc_high))
    change = _with_bounds(difference(line.change), Estimate(line.change, line.change_low, line.change_high))
    logits = (number(line.logit_fakes, 2), number(line.logit_reals, 2))
    counts = (str(line.fakes), str(line.reals), percent(line.found))
    return (line.model, _ATTACKS[line.attack], f"{_SPACES[line.space]}{codec}", auc_cell, change, *logits, *counts)


def _with_bounds(text: str, estimate: Estimate) -> str:
    between = bounds(estimate)
    return f"{text} ({between})" if between else text
