"""Is a robustness number to be believed? What gives masked gradients away (Carlini et al. 2019, section 3).

A defence that hides its gradient looks robust to PGD and is not. Each check measures one sign of that on a slice of
crops, or on all scores; its limit stands in `LIMITS`. A raised flag means: do not quote the number.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import torch
from torch import Tensor, nn

from deepfake.attacks.apgd import APGD
from deepfake.attacks.comparators import RandomNoise, Transfer
from deepfake.attacks.pgd import PGD, fgsm
from deepfake.attacks.protocol import Attack, objective
from deepfake.attacks.square import Square
from deepfake.attacks.unsaturated import Unsaturated
from deepfake.evaluation.parallel import side_by_side
from deepfake.findings import SanityCheck
from deepfake.metrics.ranking import roc_auc
from deepfake.modes import frozen
from deepfake.records import FAKE, REAL, FrameScore

LIMITS: Mapping[str, float] = {
    "zero_budget_changes": 0.0,  # largest change of a logit under an attack of eps 0
    "forward_differs": 0.0,  # largest difference between two looks at the same crops
    "zero_gradients": 0.01,  # share of crops without any input gradient
    "auc_at_32_255": 0.05,  # evasion AUC under APGD at a budget that no detector survives
    "auc_rises_with_eps": 0.01,  # largest rise of APGD's AUC from one budget to the next larger one
    "more_steps_help": 0.01,  # AUC under PGD-50 minus AUC under PGD-100
    "single_step_wins": 0.01,  # share of fakes that FGSM moves further than the better of PGD-100 and APGD does
    "noise_wins": 0.01,  # the same of random noise
    "square_wins": 0.01,  # the same of a search that sees logits only
    "transfer_wins": 0.01,  # the same of APGD on another detector
    "adaptive_loses": 0.01,  # mean logit of fakes under adaptive PGD minus that under PGD, after the same codec
    "undefended_auc": 0.02,  # of a detector trained without adversaries, under PGD-50 at 8/255
}
_HOPELESS, _REFERENCE = 32 / 255, 8 / 255
_TIE = 1e-4  # of a logit
_STEPS, _QUERIES = 50, 300  # of APGD and Square: what a minute on two cores affords


@dataclass(frozen=True)
class Suspect:
    """A detector and the crops it is checked on.

    Attributes:
        model: the detector.
        reals, fakes: clean crops (B, 3, S, S) in [0, 1].
        seeds: of the noise on each fake.
        surrogate: another detector to transfer from; None leaves that check out.
        undefended: whether it was trained without adversaries, so that PGD must break it.
    """

    model: nn.Module
    reals: Tensor
    fakes: Tensor
    seeds: Sequence[int]
    surrogate: nn.Module | None
    undefended: bool

    def attacked(self, attack: Attack) -> Tensor:
        """Objectives (B,) of the attacked fakes: how far their logits are on the wrong side."""
        y = torch.ones(len(self.fakes), device=self.fakes.device)
        x_adv = attack(self.model, self.fakes, y, self.seeds)
        with frozen(self.model), torch.no_grad():
            return objective(self.model(x_adv), y)

    def auc(self, attacked: Tensor) -> float:
        """Evasion AUC of objectives (B,) of fakes against the clean reals."""
        with frozen(self.model), torch.no_grad():
            reals = self.model(self.reals).float().tolist()
        return roc_auc([*reals, *(-attacked).tolist()], [REAL] * len(reals) + [FAKE] * len(attacked))


def sanity_checks(suspect: Suspect, eps: float, eps_curve: Sequence[float], *, workers: int) -> list[SanityCheck]:
    """All checks that apply to a detector, in the order of `LIMITS`.

    Args:
        suspect: the detector and its crops.
        eps: budget of the evaluation.
        eps_curve: budgets at which the AUC must fall.
        workers: attacks at once on a CPU.
    """
    budgets = sorted({*eps_curve, eps, _HOPELESS})
    attacks = {"clean": _untouched, "again": _untouched} | _attacks(suspect, eps, budgets)
    with frozen(suspect.model):
        device = suspect.fakes.device
        done = side_by_side(suspect.attacked, attacks.values(), device=device, workers=workers)
        measured = dict(_measure(suspect, dict(zip(attacks, done, strict=True)), eps, budgets))
    return [_judged(name, measured[name]) for name in LIMITS if name in measured]


def adaptive_checks(scores: Iterable[FrameScore], fakes: Container[str]) -> list[SanityCheck]:
    """Whether who knows the codec fools the detector at least as well as who does not; nothing without such scores.

    Args:
        scores: under all conditions.
        fakes: keys of the fake videos.
    """
    logits: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        if score.video in fakes:
            logits[score.condition].append(score.logit)
    codecs = [name.removeprefix("adaptive_") for name in logits if name.startswith("adaptive_")]
    losses = [fmean(logits[f"adaptive_{codec}"]) - fmean(logits[f"pgd_{codec}"]) for codec in codecs]
    return [_judged("adaptive_loses", max(losses))] if losses else []


def _judged(name: str, value: float) -> SanityCheck:
    return SanityCheck(name, round(value, 6), LIMITS[name], int(value > LIMITS[name]))


def _attacks(suspect: Suspect, eps: float, budgets: Sequence[float]) -> dict[str, Attack]:
    attacks: dict[str, Attack] = {"zero": PGD(0.0, steps=2), "pgd50": PGD(eps, 50), "pgd100": PGD(eps, 100)}
    attacks |= {"single_step": fgsm(eps), "noise": RandomNoise(eps), "square": Square(eps, _QUERIES)}
    attacks |= {f"at {budget}": Unsaturated(APGD(budget, _STEPS)) for budget in budgets}
    if suspect.surrogate is not None:
        attacks["transfer"] = Transfer(suspect.surrogate, Unsaturated(APGD(eps, _STEPS)))
    if suspect.undefended:
        attacks["undefended"] = PGD(_REFERENCE, steps=50)
    return attacks


def _measure(
    suspect: Suspect, found: Mapping[str, Tensor], eps: float, budgets: Sequence[float]
) -> Iterator[tuple[str, float]]:
    yield "forward_differs", (found["clean"] - found["again"]).abs().max().item()
    yield "zero_budget_changes", (found["zero"] - found["clean"]).abs().max().item()
    yield "zero_gradients", _share_without_gradient(suspect)
    aucs = [suspect.auc(found[name]) for name in ("clean", *(f"at {budget}" for budget in budgets))]
    yield "auc_at_32_255", aucs[1 + budgets.index(_HOPELESS)]
    yield "auc_rises_with_eps", max(later - earlier for earlier, later in pairwise(aucs))
    yield "more_steps_help", suspect.auc(found["pgd50"]) - suspect.auc(found["pgd100"])
    white_box = torch.maximum(found["pgd100"], found[f"at {eps}"])
    for weak in ("single_step", "noise", "square", "transfer"):
        if weak in found:
            yield f"{weak}_wins", _wins(found[weak], white_box)
    if suspect.undefended:
        yield "undefended_auc", suspect.auc(found["undefended"])


def _untouched(_model: nn.Module, x: Tensor, _y: Tensor, _seeds: Sequence[int]) -> Tensor:
    return x


def _share_without_gradient(suspect: Suspect) -> float:
    x = torch.cat([suspect.reals, suspect.fakes]).requires_grad_()
    with frozen(suspect.model), torch.enable_grad():
        (gradient,) = torch.autograd.grad(suspect.model(x).sum(), x)
    return (gradient.flatten(1).abs().amax(dim=1) == 0).float().mean().item()


def _wins(weak: Tensor, white_box: Tensor) -> float:
    """Share of fakes that an attack which knows less moved further."""
    return (weak > white_box + _TIE).float().mean().item()
