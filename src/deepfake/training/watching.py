"""How a detector stands up to attacks on a fixed slice of validation crops, after every epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from deepfake.attacks.protocol import Attack
from deepfake.crops.batches import to_unit
from deepfake.crops.choosing import evenly
from deepfake.crops.shards import CropSet
from deepfake.metrics.ranking import roc_auc
from deepfake.modes import evaluating
from deepfake.ranks import gather, share
from deepfake.records import FAKE, REAL, CropRow
from deepfake.runtime import derive_seed
from deepfake.training.selection import Videos

_CHUNK = 64  # crops attacked at once


@dataclass(frozen=True)
class Slice:
    """Some validation crops of both classes.

    Attributes:
        reals, fakes: crops (B, 3, S, S) in [0, 1].
        seeds: of the noise on each fake.
    """

    reals: Tensor
    fakes: Tensor
    seeds: Sequence[int]

    def evasion(self, model: nn.Module, attack: Attack) -> "Evasion":
        """What a detector says where every fake is attacked and no real is."""
        places = torch.arange(len(self.fakes)).split(_CHUNK)
        with evaluating(model), torch.no_grad():
            reals = [model(part) for part in self.reals.split(_CHUNK)]
            fakes = gather(model(self._attacked(model, attack, rows)).float().tolist() for rows in share(places))
        return Evasion(torch.cat(reals).float().tolist(), list(chain.from_iterable(fakes)))

    def _attacked(self, model: nn.Module, attack: Attack, rows: Tensor) -> Tensor:
        fakes = self.fakes[rows]
        return attack(model, fakes, torch.ones(len(fakes), device=fakes.device), [self.seeds[row] for row in rows])


@dataclass(frozen=True)
class Evasion:
    """Logits of clean reals and of attacked fakes."""

    reals: Sequence[float]
    fakes: Sequence[float]

    @property
    def auc(self) -> float:
        """Frame AUC, in [0, 1]."""
        return roc_auc([*self.reals, *self.fakes], [REAL] * len(self.reals) + [FAKE] * len(self.fakes))


def cut_slice(crops: CropSet, videos: Videos, frames: int, *, seed: int, device: torch.device) -> Slice:
    """At most `frames` crops of each class, evenly spread over the crops of `videos`."""
    rows: dict[int, list[CropRow]] = {REAL: [], FAKE: []}
    for row in crops.rows:
        if row.video in videos:
            rows[crops.label(row)].append(row)
    chosen = {label: evenly(candidates, frames) for label, candidates in rows.items()}
    pixels = {label: crops.stacked(some) for label, some in chosen.items()}
    seeds = [derive_seed(seed, row.video, row.frame) for row in chosen[FAKE]]
    return Slice(to_unit(pixels[REAL], device), to_unit(pixels[FAKE], device), seeds)
