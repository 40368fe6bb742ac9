"""Is a robustness number to be believed? What gives masked gradients away (Carlini et al. 2019, section 3).

A defence that hides its gradient looks robust to PGD and is not. Each check measures one sign of that on a slice of
crops; its limit stands in `LIMITS`. A raised flag means: do not quote the number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from deepfake.attacks.comparators import RandomNoise, Transfer
from deepfake.attacks.pgd import PGD, fgsm
from deepfake.attacks.protocol import Attack, objective
from deepfake.findings import SanityCheck
from deepfake.metrics.ranking import roc_auc
from deepfake.modes import frozen
from deepfake.records import FAKE, REAL

LIMITS: Mapping[str, float] = {
    "zero_budget_changes": 0.0,  # largest change of a logit under an attack of eps 0
    "forward_differs": 0.0,  # largest difference between two looks at the same crops
    "zero_gradients": 0.01,  # share of crops without any input gradient
    "auc_at_32_255": 0.05,  # evasion AUC at a budget that no detector survives
    "auc_rises_with_eps": 0.01,  # largest rise of the AUC from one budget to the next larger one
    "more_steps_help": 0.01,  # AUC under PGD-50 minus AUC under PGD-100
    "single_step_wins": 0.01,  # share of fakes that FGSM moves further than PGD-50 does
    "noise_wins": 0.01,  # the same of random noise
    "transfer_wins": 0.01,  # the same of PGD on another detector
    "undefended_auc": 0.02,  # of a detector trained without adversaries, under PGD-50 at 8/255
}
_HOPELESS, _REFERENCE = 32 / 255, 8 / 255
_TIE = 1e-4  # of a logit


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


def sanity_checks(suspect: Suspect, eps: float, eps_curve: Sequence[float]) -> list[SanityCheck]:
    """All checks that apply to a detector, in the order of `LIMITS`.

    Args:
        suspect: the detector and its crops.
        eps: budget of the evaluation.
        eps_curve: budgets at which the AUC must fall.
    """
    measured = dict(_measure(suspect, eps, eps_curve))
    return [
        SanityCheck(name, round(measured[name], 6), limit, int(measured[name] > limit))
        for name, limit in LIMITS.items()
        if name in measured
    ]


def _measure(suspect: Suspect, eps: float, eps_curve: Sequence[float]) -> Iterator[tuple[str, float]]:
    clean, again = suspect.attacked(_untouched), suspect.attacked(_untouched)
    yield "forward_differs", (clean - again).abs().max().item()
    yield "zero_budget_changes", (suspect.attacked(PGD(0.0, steps=2)) - clean).abs().max().item()
    yield "zero_gradients", _share_without_gradient(suspect)
    budgets = [*sorted(eps_curve), _HOPELESS]
    aucs = [suspect.auc(clean), *(suspect.auc(suspect.attacked(PGD(budget))) for budget in budgets)]
    yield "auc_at_32_255", aucs[-1]
    yield "auc_rises_with_eps", max(later - earlier for earlier, later in pairwise(aucs))
    strong = suspect.attacked(PGD(eps, steps=50))
    yield "more_steps_help", suspect.auc(strong) - suspect.auc(suspect.attacked(PGD(eps, steps=100)))
    yield "single_step_wins", _wins(suspect.attacked(fgsm(eps)), strong)
    yield "noise_wins", _wins(suspect.attacked(RandomNoise(eps)), strong)
    if suspect.surrogate is not None:
        yield "transfer_wins", _wins(suspect.attacked(Transfer(suspect.surrogate, PGD(eps, steps=50))), strong)
    if suspect.undefended:
        yield "undefended_auc", suspect.auc(suspect.attacked(PGD(_REFERENCE, steps=50)))


def _untouched(_model: nn.Module, x: Tensor, _y: Tensor, _seeds: Sequence[int]) -> Tensor:
    return x


def _share_without_gradient(suspect: Suspect) -> float:
    x = torch.cat([suspect.reals, suspect.fakes]).requires_grad_()
    with frozen(suspect.model), torch.enable_grad():
        (gradient,) = torch.autograd.grad(suspect.model(x).sum(), x)
    return (gradient.flatten(1).abs().amax(dim=1) == 0).float().mean().item()


def _wins(weak: Tensor, strong: Tensor) -> float:
    """Share of fakes that an attack which knows less moved further."""
    return (weak > strong + _TIE).float().mean().item()
