"""What stands beside the robustness numbers: how large the attacks were, and whether to believe the defence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake.findings import SanityCheck
from deepfake.reporting.pairing import ROBUST
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.wording import check_title

MEASURES = ("linf", "l2", "psnr", "ssim", "total_variation", "low_frequency")


@dataclass(frozen=True)
class PerturbationRow:
    """Medians of what one attack did to the fake crops that one model was shown.

    Attributes:
        model, role, attack: which.
        crops: how many were attacked.
        medians: median of each of `MEASURES`.
    """

    model: str
    role: str
    attack: str
    crops: int
    medians: dict[str, float]


@dataclass(frozen=True)
class CheckLine:
    """One check for masked gradients.

    Attributes:
        name, limit: as in `SanityCheck`.
        checks: what it found for each score set; None where it does not apply.
    """

    name: str
    limit: float
    checks: tuple[SanityCheck | None, ...]


def perturbation_rows(scores: ScoreSet) -> list[PerturbationRow]:
    """One row an attack, in the order of the table."""
    attacks = dict.fromkeys(row.attack for row in scores.perturbations)
    return [_perturbation_row(scores, attack) for attack in attacks]


def check_lines(score_sets: Sequence[ScoreSet]) -> list[CheckLine]:
    """All checks that were run on any score set, in their order."""
    limits = {check.name: check.limit for scores in score_sets for check in scores.checks}
    by_name = [{check.name: check for check in scores.checks} for scores in score_sets]
    return [CheckLine(name, limit, tuple(own.get(name) for own in by_name)) for name, limit in limits.items()]


def raised_flags(score_sets: Sequence[ScoreSet], model: str = ROBUST) -> int:
    """How many checks of a model say that its gradients may be masked, all roles together."""
    return sum(bool(check.raised) for scores in score_sets if scores.model == model for check in scores.checks)


def masking_sentences(score_sets: Sequence[ScoreSet]) -> Iterator[str]:
    """For each model, in a sentence, which checks raised a flag and what follows from that."""
    for model in dict.fromkeys(scores.model for scores in score_sets):
        own = [scores for scores in score_sets if scores.model == model and scores.checks]
        if own:
            yield f"Checks for masked gradients, {model}: {_masking_sentence(own)}"


def _masking_sentence(score_sets: Sequence[ScoreSet]) -> str:
    total = sum(len(scores.checks) for scores in score_sets)
    raised = [
        f"{check_title(check.name)} ({scores.role})" for scores in score_sets for check in scores.checks if check.raised
    ]
    if not raised:
        return f"none of {total} raised a flag."
    return (
        f"{len(raised)} of {total} raised a flag: {'; '.join(raised)}. "
        f"The attacked numbers of {score_sets[0].model} may be too good and are then not to be quoted."
    )


def _perturbation_row(scores: ScoreSet, attack: str) -> PerturbationRow:
    own = [row for row in scores.perturbations if row.attack == attack]
    medians = {name: float(np.median([getattr(row, name) for row in own])) for name in MEASURES}
    return PerturbationRow(scores.model, scores.role, attack, len(own), medians)
