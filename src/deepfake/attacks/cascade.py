"""Attacks one after the other, each on what still stands, as AutoAttack does (Croce and Hein 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.protocol import Attack, keep_better, objective
from deepfake.modes import frozen


@dataclass(frozen=True)
class Cascade:
    """The best of several attacks for each row; rows that have fallen are left to rest.

    Rows that rest are missing from the batches of the attacks that follow: not for attacks through codecs that look
    at several rows at once.

    Attributes:
        attacks: cheap ones first.
        fallen: objective from which on a row has fallen, in logits; infinity has all rows attacked by all.
    """

    attacks: Sequence[Attack]
    fallen: float

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; for no row worse than the clean crop, nor than any attack that was run on it."""
        with frozen(model), torch.no_grad():
            best, best_value = x.clone(), objective(model(x), y)
            for attack in self.attacks:
                rows = (best_value < self.fallen).nonzero().flatten()
                if not len(rows):
                    break
                x_adv = attack(model, x[rows], y[rows], [seeds[row] for row in rows.tolist()])
                value = objective(model(x_adv), y[rows])
                best[rows], best_value[rows] = keep_better(best[rows], best_value[rows], x_adv, value)
        return best
