"""A detector, its attackers, and what it says of crops after every way that they can take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import nn
from video_space_table import CROP, NO_ATTACK, VIDEO, Seen, Way
from whole_videos import Crops, Place

from deepfake.corruptions.h264 import h264
from deepfake.crops.shards import CropSet
from deepfake.evaluation.attacked import Threat, attack_crops
from deepfake.evaluation.parallel import side_by_side
from deepfake.evaluation.prediction import Clip, Reading, corrupted, read_groups, score_clips, whole_clips
from deepfake.modes import frozen
from deepfake.records import FAKE, REAL, FrameScore
from deepfake.runtime import progress_bar, worker_count


@dataclass(frozen=True)
class Detector:
    """A detector, and what it is attacked with.

    Attributes:
        name: as it stands in the table.
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        threats: attacks on it.
        batch_size: crops that it is given at once.
    """

    name: str
    model: nn.Module
    threats: tuple[Threat, ...]
    batch_size: int


def attack_fakes(detector: Detector, threat: Threat, crops: CropSet) -> Crops:
    """All fakes after an attack on the detector, uint8 RGB (S, S, 3), rounded toward the clean crops."""

    def attack(read: tuple[list[Clip], np.ndarray]) -> dict[Place, np.ndarray]:
        group, pixels = read
        rows = [row for clip in group for row in clip]
        places = [(row.video, row.frame) for row in rows]
        return dict(zip(places, attack_crops(detector.model, crops, rows, pixels, threat), strict=True))

    fakes, workers = crops.of_label(FAKE), worker_count()
    device = next(detector.model.parameters()).device
    groups = read_groups(fakes.clips(), whole_clips(fakes), batch_size=detector.batch_size, workers=workers)
    attacked: dict[Place, np.ndarray] = {}
    title = f"{threat.name} against {detector.name}"
    with frozen(detector.model), progress_bar(total=len(fakes.rows), title=title) as bar:
        for batch in side_by_side(attack, groups, device=device, workers=workers):
            attacked |= batch
            bar.update(len(batch))
    return attacked


def score_ways(
    detector: Detector, crops: CropSet, attacked: Mapping[str, Crops], films: Mapping[Way, CropSet], crfs: Sequence[int]
) -> dict[Way, Seen]:
    """What a detector says after every way: attacked fakes, beside reals that went the same way unattacked.

    Args:
        detector: which.
        crops: of crop space.
        attacked: fakes among them by attack, with nothing for `none`.
        films: crops that were cut again from whole videos, by way; after an attack those of fakes only.
        crfs: of H.264.
    """
    seen: dict[Way, Seen] = {}
    for attack, changed in attacked.items():
        chosen = crops if attack == NO_ATTACK else crops.of_label(FAKE)
        read = _with_changes(crops, changed)
        ways = {Way(attack, CROP): (chosen, read)}
        ways |= {Way(attack, CROP, crf): (chosen, corrupted(read, partial(h264, crf=crf))) for crf in crfs}
        again = {way: films[way] for way in (Way(attack, VIDEO, crf) for crf in crfs)}
        ways |= {way: (film, whole_clips(film)) for way, film in again.items()}
        for way, (what, how) in ways.items():
            videos = dict(what.videos)
            scores = list(_scores(detector, what, how))
            if attack != NO_ATTACK:
                clean = seen[way._replace(attack=NO_ATTACK)]
                scores += [score for score in clean.scores if clean.videos[score.video].label == REAL]
                videos = {**clean.videos, **videos}
            seen[way] = Seen(scores, videos)
    return seen


def _with_changes(crops: CropSet, changed: Crops) -> Reading:
    return Reading(
        lambda clips: np.stack(
            [changed.get((row.video, row.frame), crops.pixels(row)) for clip in clips for row in clip]
        )
    )


def _scores(detector: Detector, crops: CropSet, reading: Reading) -> Iterator[FrameScore]:
    batches = score_clips(
        detector.model, crops.clips(), reading, condition="", batch_size=detector.batch_size, workers=worker_count()
    )
    for batch in batches:
        yield from batch
