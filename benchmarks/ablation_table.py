"""What a row of the ablation is worth, and the table of all rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from timing import machine

from deepfake.attacks.pgd import PGD
from deepfake.crops.choosing import few_per_video
from deepfake.crops.shards import CropSet, open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.budgets import score_eps_curve
from deepfake.evaluation.conditions import CLEAN
from deepfake.evaluation.prediction import score_clips, whole_clips
from deepfake.evaluation.suite import further_threats
from deepfake.evaluation.target import Target
from deepfake.metrics.ranking import roc_auc
from deepfake.params import Params, RobustParams
from deepfake.records import FrameScore
from deepfake.runtime import derive_seed
from deepfake.training.selection import video_auc

BUDGETS = (2, 4, 8)  # in steps of 1/255
# Robust training as the field does it: ten steps of PGD and the U-Net on every crop of every batch.
USUAL_ROBUST = {"replays": 1, "pgd_steps": 10, "final_pgd_steps": 10, "unet_share": 1.0}
_UNET = 1  # pass of the detector that fitting the U-Net to a batch costs


@dataclass(frozen=True)
class Line:
    """One row: what was changed, what it cost, what came of it; AUCs of test videos, in [0, 1].

    Attributes:
        name: what was changed.
        units: forward and backward passes of the detector per crop and optimiser step.
        minutes: of training, beside the rows that ran at the same time.
        clean, clean_cross: in-domain and across datasets, nobody attacking.
        worst_2, worst_4, worst_8: in-domain, evasion at a budget in steps of 1/255, PGD and then APGD on what stands.
    """

    name: str
    units: float
    minutes: float
    clean: float
    clean_cross: float
    worst_2: float
    worst_4: float
    worst_8: float


def units(robust: RobustParams, adversaries: str) -> float:
    """Forward and backward passes of the detector that a step costs for each crop of its batch."""
    pgd = adversaries in ("both", "pgd")
    unet = adversaries in ("both", "unet")
    inner = fmean([robust.pgd_steps] * 3 + [robust.final_pgd_steps]) if robust.replays == 1 else 0.0
    own = robust.unet_share * (1 + _UNET / robust.replays)
    return round(1 + pgd * (1 + inner) + unet * own, 3)


def judge(model: Path, crops: Path, params: Params, device: torch.device) -> dict[str, float]:
    """The AUCs of a `Line` for one checkpoint."""
    detector = load_checkpoint(model).build(device)
    found = {}
    for name, role in (("clean", "train"), ("clean_cross", "cross")):
        test = open_crops(crops / role).in_splits(["test"])
        scores = _clean(detector, test, params)
        found[name] = round(video_auc(scores, test.videos), 4)
        if role == "train":
            found |= _worst(Target(detector, test, {CLEAN.name: scores}, params.evaluate.batch_size, 1), params)
    return found


def to_markdown(lines: Sequence[Line], params: Params, epochs: int, device: torch.device) -> str:
    """The table, and below it how it was made."""
    return "\n".join(_markdown(lines, params, epochs, device)) + "\n"


def _clean(detector: torch.nn.Module, test: CropSet, params: Params) -> list[FrameScore]:
    batches = score_clips(detector, test.clips(), whole_clips(test), condition=CLEAN.name,
                          batch_size=params.evaluate.batch_size, workers=1)  # fmt: skip
    return [score for batch in batches for score in batch]


def _worst(target: Target, params: Params) -> dict[str, float]:
    seed = derive_seed(params.seed, "ablation")
    few = few_per_video(target.crops, params.evaluate.eps_frames)
    ladders = {
        budget / 255: [Threat("pgd", PGD(budget / 255, params.attack.steps), budget / 255, seed),
                       *further_threats(params.evaluate.quick, budget / 255, seed)]
        for budget in BUDGETS
    }  # fmt: skip
    curve = score_eps_curve(target, few, {}, ladders)
    found = {}
    for budget in BUDGETS:
        worst = [row for row in curve if row.attack == "worst" and row.eps == budget / 255]
        labels = [target.crops.videos[row.video].label for row in worst]
        found[f"worst_{budget}"] = round(roc_auc([row.logit for row in worst], labels), 4)
    return found


def _markdown(lines: Sequence[Line], params: Params, epochs: int, device: torch.device) -> Iterator[str]:
    robust, place = params.robust, "one CPU thread" if device.type == "cpu" else f"{machine(device)}, shared by rows"
    yield "| changed | units a step | minutes | clean | clean, cross | worst at 2/255 | at 4/255 | at 8/255 |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in lines:
        aucs = (line.clean, line.clean_cross, line.worst_2, line.worst_4, line.worst_8)
        yield f"| {line.name} | {line.units:g} | {line.minutes:.0f} | {' | '.join(f'{auc:.3f}' for auc in aucs)} |"
    yield ""
    yield (
        f"AUC of test videos. Every row: {epochs * robust.steps} optimiser steps of {robust.batch_size} crops from the "
        f"same baseline, on {place}. Worst: evasion, PGD-{params.attack.steps} and then "
        f"APGD-{params.evaluate.quick.apgd_steps} on what stands, {params.evaluate.eps_frames} frame a video. "
        "One seed unless a row says otherwise: differences of some hundredths mean nothing."
    )
