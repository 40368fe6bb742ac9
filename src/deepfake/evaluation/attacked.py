"""Attacked crops -> logits: each attack is computed once, and every codec applied to its result."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from deepfake.attacks.ball import to_uint8
from deepfake.attacks.measures import measure
from deepfake.attacks.protocol import Attack
from deepfake.crops.batches import to_unit
from deepfake.crops.shards import CropSet
from deepfake.evaluation.conditions import CLEAN, Condition
from deepfake.evaluation.parallel import side_by_side
from deepfake.evaluation.prediction import Clip, read_groups, score_crops, whole_clips
from deepfake.findings import Perturbation
from deepfake.modes import frozen
from deepfake.records import FAKE, CropRow, FrameScore
from deepfake.runtime import derive_seed

BOTH = "_both"  # follows the name of an attack that perturbs reals too


@dataclass(frozen=True)
class Attacked:
    """What came of one batch of crops.

    Attributes:
        scores: under the attack and every codec after it, named as `Condition.after` does.
        perturbations: of the fakes among them, named like the first condition.
    """

    scores: list[FrameScore]
    perturbations: list[Perturbation]


@dataclass(frozen=True)
class Threat:
    """An attack as it is evaluated.

    Attributes:
        name: `pgd`, `unet`; no `_` in it where both classes are attacked.
        attack: on crops.
        eps: its budget in [0, 1] pixel space.
        seed: of its noise, together with a crop's video and frame.
    """

    name: str
    attack: Attack
    eps: float
    seed: int


def score_attacked(
    model: nn.Module, crops: CropSet, threat: Threat, codecs: Sequence[Condition], *, batch_size: int, workers: int
) -> Iterator[Attacked]:
    """Attack every crop, fakes and reals, and score it after every codec, a batch of clips at a time.

    Args:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        crops: what is attacked.
        threat: by what.
        codecs: what follows, at least one, `CLEAN` for nothing.
        batch_size, workers: as for `score_clips`.
    """

    def score(read: tuple[list[Clip], np.ndarray]) -> Attacked:
        group, pixels = read
        rows = [row for clip in group for row in clip]
        attacked = attack_crops(model, crops, rows, pixels, threat)
        scores: list[FrameScore] = []
        for codec in codecs:
            seen = attacked if codec is CLEAN else _compress(attacked, group, codec)
            scores += score_crops(model, rows, seen, condition=codec.after(threat.name))
        name = codecs[0].after(threat.name)
        return Attacked(scores, list(_perturbations(name, crops, rows, attacked, pixels, threat.eps, device)))

    device = next(model.parameters()).device
    groups = read_groups(crops.clips(), whole_clips(crops), batch_size=batch_size, workers=workers)
    with frozen(model):
        yield from side_by_side(score, groups, device=device, workers=workers)


def few_clips(crops: CropSet, label: int, clips: int) -> CropSet:
    """All crops of the other class, and of every video of class `label` its first `clips` clips, whole."""
    chosen: dict[str, list[int]] = defaultdict(list)
    for row in crops.rows:
        if row.clip not in chosen[row.video] and (len(chosen[row.video]) < clips or crops.label(row) != label):
            chosen[row.video].append(row.clip)
    return crops.with_rows([row for row in crops.rows if row.clip in chosen[row.video]])


def attack_crops(model: nn.Module, crops: CropSet, rows: Clip, pixels: np.ndarray, threat: Threat) -> np.ndarray:
    """Attacked crops, uint8 RGB (B, S, S, 3), rounded toward the clean ones.

    Args:
        model: what is attacked.
        crops: where `rows` come from.
        rows: index rows (B,).
        pixels: clean crops, uint8 RGB (B, S, S, 3).
        threat: the attack.
    """
    device = next(model.parameters()).device
    x = to_unit(pixels, device)
    y = torch.tensor([float(crops.label(row)) for row in rows], device=device)
    seeds = [derive_seed(threat.seed, row.video, row.frame) for row in rows]
    return to_uint8(threat.attack(model, x, y, seeds), x)


def both_classes(attacked: Iterable[FrameScore]) -> list[FrameScore]:
    """The table in which everything was attacked (`pgd_both_jpeg50`), from scores of an attack (`pgd_jpeg50`)."""
    named = ((score, *score.condition.partition("_")) for score in attacked)
    return [replace(score, condition=f"{attack}{BOTH}{parting}{codec}") for score, attack, parting, codec in named]


def _compress(pixels: np.ndarray, group: Sequence[Clip], codec: Condition) -> np.ndarray:
    ends = np.cumsum([len(clip) for clip in group])
    clips = np.split(pixels, ends[:-1])
    return np.stack([frame for clip in clips for frame in codec.corrupt(list(clip))])


def _perturbations(
    name: str, crops: CropSet, rows: Sequence[CropRow], attacked: np.ndarray, pixels: np.ndarray, eps: float,
    device: torch.device,
) -> Iterator[Perturbation]:  # fmt: skip
    fakes = [place for place, row in enumerate(rows) if crops.label(row) == FAKE]
    if not fakes:
        return
    sizes = measure(to_unit(attacked[fakes], device), to_unit(pixels[fakes], device), eps)
    columns = {name: _rounded(values) for name, values in vars(sizes).items()}
    for number, place in enumerate(fakes):
        row = rows[place]
        numbers = {name: values[number] for name, values in columns.items()}
        yield Perturbation(name, row.video, row.clip, row.frame, **numbers)


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 6) for value in values.tolist()]
