"""What a row of the ablation is worth, and the table of all rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from ablation_rows import BASE_CROPS, recipe_of
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
AUCS = ("clean", "clean_cross", *(f"worst_{budget}" for budget in BUDGETS))
_UNET = 1  # pass of the detector that fitting the U-Net to a batch costs


@dataclass(frozen=True)
class Line:
    """One row: what was changed, what it cost, what came of it; AUCs of test videos, in [0, 1].

    Attributes:
        name: what was changed.
        units: forward and backward passes of the detector over 32 crops, in an optimiser step.
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
    steps = (1 - robust.final) * robust.pgd_steps + robust.final * robust.final_pgd_steps
    inner = steps if robust.replays == 1 else 0.0
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
    for name, seeds in by_recipe(lines).items():
        minutes = _span([line.minutes for line in seeds], ".0f")
        aucs = " | ".join(_span([getattr(line, column) for line in seeds], ".3f") for column in AUCS)
        times = f" ({len(seeds)} seeds)" if len(seeds) > 1 else ""
        yield f"| {name}{times} | {seeds[0].units:g} | {minutes} | {aucs} |"
    yield ""
    yield (
        f"AUC of test videos; of several seeds the mean, and from which to which. Every row: {epochs * robust.steps} "
        f"optimiser steps of {BASE_CROPS} crops from the same baseline unless it says otherwise, on {place}. "
        f"A unit is a forward and backward pass over {BASE_CROPS} crops. Worst: evasion, "
        f"PGD-{params.attack.steps} and then APGD-{params.evaluate.quick.apgd_steps} on what stands, "
        f"{params.evaluate.eps_frames} frame a video. Minutes depend on what ran beside. Of one seed, differences of "
        "some hundredths mean nothing."
    )


def by_recipe(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Lines of the same recipe, its seeds together."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(recipe_of(line.name), []).append(line)
    return found


def _span(values: Sequence[float], form: str) -> str:
    """The mean, and from the least to the largest where there are several."""
    if len(values) == 1:
        return format(values[0], form)
    return f"{fmean(values):{form}} ({min(values):{form}} to {max(values):{form}})"
