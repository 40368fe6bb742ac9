"""Training a detector while PGD and a U-Net attack it (Madry et al. 2018; Goodfellow et al. 2014 for the game)."""

import sys
from collections import defaultdict, deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from deepfake.attacks.learned import Learned
from deepfake.attacks.pgd import PGD
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.modes import freeze_batch_statistics
from deepfake.params import RobustParams, UnetParams
from deepfake.ranks import average_over_ranks
from deepfake.training.attacker import unet_losses
from deepfake.training.detection_losses import adversarial_losses
from deepfake.training.fit import Fit, gradients
from deepfake.training.free_pgd import Round, move_on, spare_reals, start
from deepfake.training.loop import MOST_SETBACKS, Losses, TrainingError
from deepfake.training.overfitting import LastGood

Weights = dict[str, Tensor]
DIVERGED = 1000.0  # nats; a perturbation is bounded, and the loss of a U-Net that still plays is a few


@dataclass(frozen=True)
class Opponents:
    """Which adversaries take part."""

    pgd: bool = True
    unet: bool = True


class Adversaries:
    """The adversaries of a detector in training: their budget, the U-Net's own optimiser, and its past.

    The detector is trained on the clean batch, on PGD's and on the U-Net's version of it. The U-Net takes a step on
    every batch; half of the time the detector meets one of its earlier selves, so that the game does not go in circles.

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
        self.params, self.unet_params, self.opponents, self.eps = params, unet_params, opponents, eps
        self.unet = unet.requires_grad_(True)
        self._optimizer = torch.optim.Adam(self.unet.parameters(), lr=params.unet_learning_rate)
        self._earlier, self._good = deepcopy(unet), LastGood(params.max_overfit)
        self._pool: deque[Weights] = deque(maxlen=params.pool)
        self._steps, self._strength, self._setbacks = 0, 1, 0
        self._seen: dict[str, list[float]] = defaultdict(list)
        self._round: Round | None = None

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
        self._seen["eps"].append(self.budget)
        self._steps += 1
        return adversarial_losses(dict(zip(met, parts, strict=True)), batch.y, self.params)

    def observed(self) -> dict[str, float]:
        """What the adversaries did, as means since the last call: budget, and the U-Net's losses."""
        means = {f"train/{name}": fmean(values) for name, values in self._seen.items()}
        self._seen.clear()
        return means if self.opponents.pgd or self.opponents.unet else {}

    def review(self, fit: Fit) -> None:
        """Remember this epoch's U-Net, unless it diverged; after catastrophic overfitting take the epoch back.

        Raises:
            TrainingError: the one or the other, too often.
        """
        metrics, number = fit.history[-1], len(fit.history)
        networks = [fit.model, fit.average.module, self.unet]
        if self.opponents.pgd and self._good.is_lost(metrics):
            self._strengthen_pgd(f"epoch {number} overfitted: AUC {metrics['val/inner_auc']:.3f} under the inner PGD")
            self._good.restore(networks, [fit.optimizer, self._optimizer])
            return
        if self.opponents.unet:
            if metrics.get("train/attack", 0.0) > DIVERGED or not _is_finite(self.unet.parameters()):
                self._take_back_unet()
            self._pool.append(deepcopy(self.unet.state_dict()))
        if self.opponents.pgd:
            self._good.keep(metrics, networks, [fit.optimizer, self._optimizer])

    def state_dict(self) -> dict[str, Any]:
        """As `Companion`."""
        return {
            "unet": self.unet.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "pool": list(self._pool),
            "good": self._good.state_dict(),
            "numbers": [self._steps, self._strength, self._setbacks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `Companion`."""
        self.unet.load_state_dict(state["unet"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._pool = deque(state["pool"], maxlen=self.params.pool)
        self._good.load_state_dict(state["good"])
        self._steps, self._strength, self._setbacks = state["numbers"]
        self._round = None
        self._seen.clear()

    def _next_round(self, model: nn.Module, batch: Batch) -> Round:
        """The same batch with its perturbation moved on, or a new one."""
        last = self._round if self._round and self._round.batch is batch else None
        x_pgd = self._meet_pgd(model, batch, last) if self.opponents.pgd else None
        x_unet = last.x_unet if last else self._meet_unet(model, batch) if self.opponents.unet else None
        return spare_reals(Round(batch, x_pgd, x_unet), self.params.real_share * self.budget)

    def _meet_pgd(self, model: nn.Module, batch: Batch, last: Round | None) -> Tensor:
        if self.is_free and last and last.x_pgd is not None:
            return move_on(last.x_pgd, batch.x, self.budget, self.params.pgd_step_size * self.budget)
        seeds = torch.randint(2**62, batch.y.shape).tolist()
        if self.is_free:
            return start(batch.x, self.budget, seeds)
        return self.inner_attack(model, batch.x, batch.y, seeds)

    def _meet_unet(self, model: nn.Module, batch: Batch) -> Tensor:
        batch = batch.first(max(1, round(self.params.unet_share * len(batch.y))))
        losses = unet_losses(self.unet, model, batch, self.unet_params, self.budget)
        loss = torch.stack(list(losses.values())).sum()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_over_ranks(gradients(self.unet))
        nn.utils.clip_grad_norm_(self.unet.parameters(), self.unet_params.max_gradient_norm)
        if not _is_finite(gradients(self.unet)):  # nor was the loss
            self._take_back_unet()
        else:
            self._optimizer.step()
            for name, value in losses.items():
                self._seen[name].append(value.item())
        met = self.unet
        if self._pool and torch.rand(()) < 0.5:
            met = self._earlier
            met.load_state_dict(self._pool[int(torch.randint(len(self._pool), ()))])
        return Learned(met, self.budget)(model, batch.x, batch.y, ())

    def _take_back_unet(self) -> None:
        """The U-Net's last good weights again, with half the learning rate and none of the moments."""
        if self._setbacks == MOST_SETBACKS:
            raise TrainingError("the U-Net diverges again and again; try a lower robust.unet_learning_rate")
        self._setbacks += 1
        self.unet.load_state_dict(self._pool[-1] if self._pool else self._earlier.state_dict())
        rate = self._optimizer.param_groups[0]["lr"] / 2
        self._optimizer = torch.optim.Adam(self.unet.parameters(), lr=rate)
        print(f"the U-Net's loss diverged: back to its last good weights, learning rate {rate:g}", file=sys.stderr)

    def _strengthen_pgd(self, why: str) -> None:
        if self._strength == 2**MOST_SETBACKS:
            raise TrainingError(f"{why}, broken under a longer one, again and again; raise robust.pgd_steps")
        self._strength *= 2
        print(f"{why}, broken under a longer one: taken back; {self._strength} times the steps", file=sys.stderr)


def _is_finite(tensors: Iterable[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
