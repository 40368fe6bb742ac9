"""Training a detector while PGD and a U-Net attack it (Madry et al. 2018)."""

import sys
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project, random_point
from deepfake.attacks.pgd import PGD
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.modes import freeze_batch_statistics
from deepfake.params import RobustParams, UnetParams
from deepfake.records import REAL
from deepfake.training.detection_losses import adversarial_losses
from deepfake.training.fit import Fit
from deepfake.training.free_pgd import Round, step_up
from deepfake.training.loop import MOST_SETBACKS, Losses, TrainingError
from deepfake.training.overfitting import LastGood
from deepfake.training.unet_opponent import UnetOpponent


@dataclass(frozen=True)
class Opponents:
    """Which adversaries take part."""

    pgd: bool = True
    unet: bool = True


class Adversaries:
    """The adversaries of a detector in training, and their budget.

    The detector is trained on the clean batch, on PGD's and on the U-Net's version of it.

    Args:
        params: budget ramp, inner PGD, weights of the losses, guards.
        unet_params: what shapes the U-Net's perturbation.
        opponents: who takes part.
        unet: the U-Net to start with; one that already fools the baseline is an opponent from the first step on.
        eps: full budget in [0, 1] pixel space.
    """

    def __init__(
        self, params: RobustParams, unet_params: UnetParams, opponents: Opponents, unet: PerturbationUNet, *, eps: float
    ) -> None:
        self.params, self.opponents, self.eps = params, opponents, eps
        self._opponent, self._good = UnetOpponent(params, unet_params, unet), LastGood(params.max_overfit)
        self._steps, self._strength = 0, 1
        self._budgets: list[float] = []
        self._round: Round | None = None

    @property
    def unet(self) -> PerturbationUNet:
        """The U-Net as it is now."""
        return self._opponent.unet

    @property
    def budget(self) -> float:
        """Budget of the next batch: grows evenly over the first `ramp` share of the steps."""
        ramp = self.params.ramp * self.params.epochs * self.params.steps
        return self.eps * min(1.0, (self._steps + 1) / max(1.0, ramp))

    @property
    def is_free(self) -> bool:
        """Whether PGD rides on the detector's own gradient; after an overfitting it no longer does."""
        return self.params.replays > 1 and self._strength == 1

    @property
    def inner_attack(self) -> PGD:
        """The PGD of the next batch, which gets stronger towards the end and after every overfitting.

        Where it is free, it is the PGD that the last of the replays amounts to.
        """
        if self.is_free:
            return PGD(self.budget, self.params.replays - 1, step_size=self.params.pgd_step_size, keep_best=False)
        late = self._steps >= (1 - self.params.final) * self.params.epochs * self.params.steps
        steps = self._strength * (self.params.final_pgd_steps if late else self.params.pgd_steps)
        return PGD(self.budget, steps, step_size=self.params.pgd_step_size, keep_best=False)

    def step(self, model: nn.Module, batch: Batch) -> Losses:
        """Named losses of the detector on one batch, after the adversaries had their turn."""
        self._round = self._next_round(model, batch)
        if self.params.batch_statistics == "frozen":
            freeze_batch_statistics(model)
        crops = {"clean": batch.x, "pgd": self._round.x_pgd, "unet": self._round.x_unet}
        met = {name: x for name, x in crops.items() if x is not None}
        # One pass: batch statistics that are not frozen are those of the mixture.
        parts = model(torch.cat(list(met.values()))).split([len(x) for x in met.values()])
        self._budgets.append(self.budget)
        self._steps += 1
        return adversarial_losses(dict(zip(met, parts, strict=True)), batch.y, self.params)

    def observed(self) -> dict[str, float]:
        """What the adversaries did, as means since the last call: budget, and the U-Net's losses."""
        seen = {**self._opponent.seen, "eps": self._budgets} if self.opponents.pgd or self.opponents.unet else {}
        means = {f"train/{name}": fmean(values) for name, values in seen.items()}
        self._forget()
        return means

    def review(self, fit: Fit) -> None:
        """Remember this epoch's U-Net, unless it diverged; after catastrophic overfitting take the epoch back.

        Raises:
            TrainingError: the one or the other, too often.
        """
        metrics, number = fit.history[-1], len(fit.history)
        networks = [fit.model, fit.average.module, self.unet]
        if self.opponents.pgd and self._good.is_lost(metrics):
            self._strengthen_pgd(f"epoch {number} overfitted: AUC {metrics['val/inner_auc']:.3f} under the inner PGD")
            self._good.restore(networks, [fit.optimizer, self._opponent.optimizer])
            return
        if self.opponents.unet:
            self._opponent.review(metrics)  # which may give it another optimiser
        if self.opponents.pgd:
            self._good.keep(metrics, networks, [fit.optimizer, self._opponent.optimizer])

    def state_dict(self) -> dict[str, Any]:
        """As `Companion`."""
        return {
            "opponent": self._opponent.state_dict(),
            "good": self._good.state_dict(),
            "numbers": [self._steps, self._strength],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `Companion`."""
        self._opponent.load_state_dict(state["opponent"])
        self._good.load_state_dict(state["good"])
        self._steps, self._strength = state["numbers"]
        self._round = None
        self._forget()

    def _forget(self) -> None:
        self._budgets.clear()
        self._opponent.seen.clear()

    def _next_round(self, model: nn.Module, batch: Batch) -> Round:
        """The same batch with its perturbation moved on, or a new one."""
        last = self._round if self._round and self._round.batch is batch else None
        x_pgd = self._meet_pgd(model, batch, last) if self.opponents.pgd else None
        x_unet = last.x_unet if last else self._meet_unet(model, batch) if self.opponents.unet else None
        return Round(batch, x_pgd, x_unet)

    def _meet_pgd(self, model: nn.Module, batch: Batch, last: Round | None) -> Tensor:
        if self.is_free and last and last.x_pgd is not None:
            x_adv = step_up(last.x_pgd, self.params.pgd_step_size * self.budget)
        else:
            seeds = torch.randint(2**62, batch.y.shape).tolist()
            if self.is_free:
                x_adv = random_point(batch.x, self.budget, seeds)
            else:
                x_adv = self.inner_attack(model, batch.x, batch.y, seeds)
        return self._within_budget(x_adv, batch).requires_grad_(self.is_free)

    def _meet_unet(self, model: nn.Module, batch: Batch) -> Tensor:
        batch = batch.first(max(1, round(self.params.unet_share * len(batch.y))))
        return self._within_budget(self._opponent.play(model, batch, self.budget), batch)

    def _within_budget(self, x_adv: Tensor, batch: Batch) -> Tensor:
        """Fakes within the whole budget of what they were, reals within their share of it."""
        budgets = torch.where(batch.y == REAL, self.params.real_share * self.budget, self.budget)
        return project(x_adv.detach(), batch.x, budgets.view(-1, 1, 1, 1))

    def _strengthen_pgd(self, why: str) -> None:
        if self._strength == 2**MOST_SETBACKS:
            raise TrainingError(f"{why}, broken under a longer one, again and again; raise robust.pgd_steps")
        self._strength *= 2
        print(f"{why}, broken under a longer one: taken back; {self._strength} times the steps", file=sys.stderr)
