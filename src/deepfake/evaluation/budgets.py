"""The eps curve: PGD and what goes on where it failed, at one budget after the other, on a few frames of a video."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from deepfake.crops.shards import CropSet
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.conditions import CLEAN
from deepfake.evaluation.suite import score_beyond
from deepfake.evaluation.target import Target
from deepfake.findings import EpsScore
from deepfake.records import FAKE, FrameScore

PGD, WORST = "pgd", "worst"


class AtBudget(NamedTuple):
    """Scores at one budget: under PGD, and frame by frame the worse of that and of APGD on the fakes that still stood.

    What only the evaluation's own budget has (the U-Net, codecs, the costliest attacks of the thorough profile) is not
    in it, so that budgets can be compared.
    """

    pgd: Sequence[FrameScore]
    worst: Sequence[FrameScore]


def score_eps_curve(
    target: Target, crops: CropSet, known: Mapping[float, AtBudget], ladders: Mapping[float, Sequence[Threat]]
) -> list[EpsScore]:
    """Scores at every budget, from the smallest to the largest; only fakes are attacked.

    Args:
        target: the detector.
        crops: the few frames of every video.
        known: scores that were made already, by budget, of these and maybe of other frames.
        ladders: by budget that is not known: PGD, then attacks on what still stands.
    """
    wanted = {(row.video, row.frame) for row in crops.rows}
    reals = [score for score in target.reals(CLEAN, CLEAN.name) if (score.video, score.frame) in wanted]
    curve = {eps: AtBudget(*([s for s in scores if (s.video, s.frame) in wanted] for scores in both))
             for eps, both in known.items()}  # fmt: skip
    for eps, threats in ladders.items():
        pgd, worst = _climb(target, crops.of_label(FAKE), threats)
        curve[eps] = AtBudget([*reals, *pgd], [*reals, *worst])
    return [
        EpsScore(eps, attack, score.video, score.clip, score.frame, score.logit)
        for eps, both in sorted(curve.items())
        for attack, scores in ((PGD, both.pgd), (WORST, both.worst))
        for score in scores
    ]


def _climb(target: Target, fakes: CropSet, threats: Sequence[Threat]) -> AtBudget:
    pgd, *further = threats
    first = worst = target.attack(fakes, pgd, [CLEAN]).scores
    for threat in further:
        worst = score_beyond(target, fakes, threat, worst).scores
    return AtBudget(first, worst)
