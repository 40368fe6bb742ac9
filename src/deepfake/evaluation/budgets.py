"""The eps curve: the same attack at one budget after the other, on a few frames of every video."""

from collections.abc import Mapping, Sequence

from torch import nn

from deepfake.crops.shards import CropSet
from deepfake.evaluation.attacked import Threat, score_attacked
from deepfake.evaluation.conditions import CLEAN
from deepfake.findings import EpsScore
from deepfake.records import FAKE, FrameScore
from deepfake.runtime import progress_bar


def score_eps_curve(
    model: nn.Module,
    crops: CropSet,
    known: Mapping[float, Sequence[FrameScore]],
    threats: Sequence[Threat],
    *,
    batch_size: int,
    workers: int,
) -> list[EpsScore]:
    """Scores at every budget, from the smallest to the largest; only fakes are attacked.

    Args:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        crops: the few frames of every video.
        known: scores that were made already, by budget, of these and maybe of other frames; those at 0 are clean.
        threats: the attack at the budgets that are not known.
        batch_size, workers: as for `score_attacked`.
    """
    wanted = {(row.video, row.frame) for row in crops.rows}
    curve = {eps: [s for s in scores if (s.video, s.frame) in wanted] for eps, scores in known.items()}
    reals = [score for score in curve[0.0] if crops.videos[score.video].label != FAKE]
    fakes = crops.of_label(FAKE)
    with progress_bar(total=len(fakes.rows) * len(threats), title="eps curve") as bar:
        for threat in threats:
            curve[threat.eps] = list(reals)
            for done in score_attacked(model, fakes, threat, [CLEAN], batch_size=batch_size, workers=workers):
                curve[threat.eps] += done.scores
                bar.update(len(done.scores))
    return [EpsScore(eps, s.video, s.clip, s.frame, s.logit) for eps in sorted(curve) for s in curve[eps]]
