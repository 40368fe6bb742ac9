"""A detector under attack, and all that stays the same from one attack to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import nn

from deepfake.crops.shards import CropSet
from deepfake.evaluation.attacked import Attacked, Threat, score_attacked
from deepfake.evaluation.conditions import CLEAN, Condition
from deepfake.findings import Perturbation
from deepfake.ranks import gather
from deepfake.records import REAL, FrameScore
from deepfake.runtime import progress_bar


@dataclass(frozen=True)
class Target:
    """What is attacked, and how it scored before.

    Attributes:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        crops: test crops of both classes.
        plain: scores of `crops` that no attack came before, by the name of the codec; `clean` among them.
        batch_size, workers: as for `score_attacked`.
    """

    model: nn.Module
    crops: CropSet
    plain: Mapping[str, Sequence[FrameScore]]
    batch_size: int
    workers: int

    @cached_property
    def floor(self) -> float:
        """The lowest logit of a clean real frame: a fake stands while its logit is above."""
        return min(gather(score.logit for score in self.plain[CLEAN.name] if self.is_real(score)))

    def is_real(self, score: FrameScore) -> bool:
        """Whether a score is that of a real video."""
        return self.crops.videos[score.video].label == REAL

    def reals(self, codec: Condition, condition: str) -> list[FrameScore]:
        """Scores of the reals under a codec alone, as they stand in the table of `condition`, whose reals are left
        alone."""
        return [replace(score, condition=condition) for score in self.plain[codec.name] if self.is_real(score)]

    def attack(
        self, crops: CropSet, threat: Threat, codecs: Sequence[Condition], *, batch_size: int | None = None
    ) -> Attacked:
        """All that comes of one attack on `crops`; in batches of another size than usual if one is given."""
        scores: list[FrameScore] = []
        perturbations: list[Perturbation] = []
        with progress_bar(total=len(crops.rows), title=threat.name) as bar:
            for done in score_attacked(
                self.model, crops, threat, codecs, batch_size=batch_size or self.batch_size, workers=self.workers
            ):
                scores += done.scores
                perturbations += done.perturbations
                bar.update(len(done.scores) // len(codecs))
        return Attacked(scores, perturbations)
