"""Do attacks that are not ours find more? AutoAttack's APGD and Square, and Foolbox's PGD, beside our worst case.

They attack the exported detectors on the fakes of the eps curve; rounded as ours are, these are ranked against the same
clean reals. From the repository's root, after `dvc repro` and `pip install -r requirements-dev.txt`:

    PYTHONPATH=src python benchmarks/independent.py --role train --out benchmarks/results/independent_train
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import foolbox
import numpy as np
import torch
from pyautoattack.autopgd_base import APGDAttack
from pyautoattack.square import SquareAttack
from pydantic import TypeAdapter
from timing import machine, write_markdown
from torch import Tensor, nn

from deepfake.attacks.ball import to_uint8
from deepfake.crops.batches import to_unit
from deepfake.crops.shards import CropSet, open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.errors import DataError, SettingsError
from deepfake.metrics.ranking import roc_auc
from deepfake.params import Budget, load_params
from deepfake.records import FAKE
from deepfake.reporting.conditions import WORST
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.scores import ScoreSet, frame_name, load_score_sets
from deepfake.reporting.wording import budget, role_name
from deepfake.runtime import open_device, progress_bar
from deepfake.stage import run
from deepfake.tables import write_rows

_BATCH = 32
LIMIT = 0.02  # of AUC; if an outside attack takes more from ours, ours is not to be believed
TOGETHER = "all three"


@dataclass(frozen=True)
class Line:
    """One attack at one budget; AUCs of test videos, in [0, 1].

    Attributes:
        model, role: whose, on what.
        eps: budget in [0, 1] pixel space.
        attack: theirs, or `TOGETHER`: for each fake the one that worked best.
        ours, theirs: AUC in the worst case of our report, and under their attack.
        beyond: by how much our AUC falls if each fake meets the better of ours and theirs.
    """

    model: str
    role: str
    eps: float
    attack: str
    ours: float
    theirs: float
    beyond: float


class TwoLogits(nn.Module):
    """Real or fake, as a library wants it; fake as long as the logit is above `floor`, which Square stops at."""

    def __init__(self, model: nn.Module, floor: float) -> None:
        super().__init__()
        self.model, self.floor = model, floor

    def forward(self, x: Tensor) -> Tensor:
        logits = self.model(x) - self.floor
        return torch.stack([torch.zeros_like(logits), logits], dim=1)


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    if stray := set(args.eps) - set(params.evaluate.eps_curve):
        raise SettingsError(f"--eps: {budget(stray.pop())} is not on the eps curve")
    crops = open_crops(args.crops / args.role).in_splits(["test"])
    known = {scores.model: scores for scores in load_score_sets(args.scores, [args.role])}
    if stray_models := [name for name in args.models if name not in known]:
        raise SettingsError(f"--models: {args.scores} has no {stray_models[0]}, only {', '.join(known)}")
    lines: list[Line] = []
    with progress_bar(total=3 * len(args.eps) * len(args.models), title="attacks") as bar:
        for scores in (known[name] for name in args.models):
            model = load_checkpoint(args.release / f"{scores.model}.pt").build(device)
            for eps in args.eps:
                torch.manual_seed(params.seed)  # Foolbox draws from the global generator
                found: dict[str, Mapping[str, float]] = {}
                for name, logits in attacked(model, crops, scores.eps_curve[WORST][eps], eps, args):
                    found[name] = logits
                    bar.update()
                lines += compare(scores, eps, found)
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    rows = [[one.model, role_name(one.role), budget(one.eps), one.attack,
             *(f"{auc:.4f}" for auc in (one.ours, one.theirs, one.beyond))] for one in lines]  # fmt: skip
    head = ["model", "videos", "budget", "attack", "AUC, our worst case", "AUC under theirs", "beyond ours"]
    write_markdown(args.out, head, rows, _notes(lines, machine(device)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", required=True, choices=["train", "cross"], help="whose test videos are attacked")
    parser.add_argument("--models", nargs="+", default=["robust"], help="detectors to attack (default: robust)")
    parser.add_argument("--crops", default=Path("data/crops"), type=Path, help="folder with crops of each role")
    parser.add_argument("--scores", default=Path("data/scores"), type=Path, help="folder that evaluation wrote to")
    parser.add_argument("--release", default=Path("models/release"), type=Path, help="folder of exported detectors")
    parser.add_argument("--eps", nargs="+", type=_budget, default=[2 / 255, 4 / 255, 8 / 255], metavar="E/255",
                        help="budgets of the eps curve (default: 2/255 4/255 8/255)")  # fmt: skip
    parser.add_argument("--steps", type=int, default=50, help="of APGD and PGD (default: 50)")
    parser.add_argument("--queries", type=int, default=500, help="of Square (default: 500)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def _budget(text: str) -> float:
    return TypeAdapter(Budget).validate_python(text)


def attacked(
    model: nn.Module, crops: CropSet, curve: Items, eps: float, args: argparse.Namespace
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Logits of the curve's fakes under each attack of the library, by the names that the curve has for them."""
    fakes = {frame_name(row.video, row.clip, row.frame): row for row in crops.of_label(FAKE).rows}
    rows = {name: row for name, row in fakes.items() if name in curve.names}
    device = next(model.parameters()).device
    x = to_unit(crops.stacked(list(rows.values())), device).contiguous()
    floor = float(curve.scores[curve.labels != FAKE].min())
    for name, attack in _attacks(TwoLogits(model, floor), eps, args, device):
        x_adv = torch.cat([attack(part) for part in x.split(_BATCH)])
        seen = to_unit(to_uint8(x_adv, x), device)
        if (moved := (seen - x).abs().max().item()) > eps + 1e-6:
            raise DataError(f"{name} moved a pixel by {255 * moved:g}/255, and its budget is {255 * eps:g}/255")
        with torch.no_grad():
            yield name, dict(zip(rows, model(seen).tolist(), strict=True))


def _attacks(
    model: nn.Module, eps: float, args: argparse.Namespace, device: torch.device
) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    common = {"eps": eps, "seed": 0, "device": device}
    apgd = APGDAttack(model, n_iter=args.steps, loss="ce", **common)
    yield f"APGD-{args.steps}", lambda x: apgd.perturb(x, _fake(x), best_loss=True)
    pgd = foolbox.attacks.LinfPGD(rel_stepsize=2.5 / args.steps, steps=args.steps)
    known = foolbox.PyTorchModel(model.eval(), bounds=(0, 1), device=device)
    yield f"PGD-{args.steps}", lambda x: pgd(known, x, _fake(x), epsilons=eps)[1]
    yield f"Square-{args.queries}", partial(_square, SquareAttack(model, n_queries=args.queries, **common))


def _square(attack: SquareAttack, x: Tensor) -> Tensor:
    """The best that the search met; its `perturb` would keep only what falls below the floor."""
    attack.init_hyperparam(x)
    return attack.attack_single_run(x, _fake(x))[1]


def _fake(x: Tensor) -> Tensor:
    return torch.full((len(x),), FAKE, device=x.device)


def compare(scores: ScoreSet, eps: float, found: Mapping[str, Mapping[str, float]]) -> Iterator[Line]:
    """A line for each attack, given logits of fakes by the curve's names, and one for all of them together."""
    worst = scores.eps_curve[WORST][eps]
    ours = dict(zip(worst.names, worst.scores.tolist(), strict=True))
    fakes = {name for name, label in zip(worst.names, worst.labels, strict=True) if label == FAKE}
    together = {name: min(logits[name] for logits in found.values()) for name in next(iter(found.values()))}
    for attack, logits in {**found, TOGETHER: together}.items():
        assert logits.keys() == fakes, "each fake of the curve was attacked"
        theirs = ours | dict(logits)
        both = {name: min(ours[name], theirs[name]) for name in ours}
        reported, under_theirs, under_both = (_auc(worst, chosen) for chosen in (ours, theirs, both))
        beyond = round(reported - under_both, 4)
        yield Line(scores.model, scores.role, eps, attack, reported, under_theirs, beyond)


def _auc(items: Items, logits: Mapping[str, float]) -> float:
    videos = to_videos(replace(items, scores=np.array([logits[name] for name in items.names])))
    return round(roc_auc(videos.scores, videos.labels), 4)


def _notes(lines: Sequence[Line], where: str) -> Iterator[str]:
    most = max(lines, key=lambda line: line.beyond)
    closest = min(lines, key=lambda line: line.theirs - line.ours)
    verdict = "no" if most.beyond <= LIMIT else "**yes**"
    yield "theirs: APGD-CE and Square of AutoAttack (its authors' code), PGD of Foolbox, one random start each"
    yield "beyond ours: by how much our AUC falls if each fake meets the better of theirs and ours"
    yield f"more than {LIMIT} of AUC beyond ours: {verdict}; {most.beyond:.4f} at most"
    yield (
        f"theirs alone come closest to ours with {closest.theirs - closest.ours:+.4f} ({closest.attack} at "
        f"{budget(closest.eps)}, {closest.model})"
    )
    yield f"made on: {where}"


if __name__ == "__main__":
    sys.exit(run(main))
