"""Training a detector while PGD and a U-Net attack it (Madry et al. 2018; Goodfellow et al. 2014 for the game)."""

from collections import defaultdict, deque
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deepfake.attacks.learned import Learned
from deepfake.attacks.pgd import PGD
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.params import RobustParams, UnetParams
from deepfake.training.attacker import unet_losses
from deepfake.training.clean import detection_loss, divergence
from deepfake.training.fit import Fit
from deepfake.training.free_pgd import move_on, start
from deepfake.training.loop import Losses, TrainingError

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Opponents:
    """Which adversaries take part."""

    pgd: bool = True
    unet: bool = True


@dataclass
class _Round:
    """One batch and what the adversaries made of it.

    Attributes:
        batch: the clean crops.
        x_pgd: PGD's crops, a leaf whose gradient moves them on when the batch is replayed; None without PGD.
        x_unet: the U-Net's version of the first crops of the batch; None without U-Net.
    """

    batch: Batch
    x_pgd: Tensor | None
    x_unet: Tensor | None


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
        self._earlier, self._good = deepcopy(unet), dict[str, Weights]()
        self._pool: deque[Weights] = deque(maxlen=params.pool)
        self._steps, self._strength, self._best_watched = 0, 1, 0.0
        self._seen: dict[str, float] = defaultdict(float)
        self._round: _Round | None = None

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
        """The PGD of the next batch, which gets stronger towards the end and after every overfitting."""
        late = self._steps >= (1 - self.params.final) * self.params.epochs * self.params.steps
        steps = self._strength * (self.params.final_pgd_steps if late else self.params.pgd_steps)
        return PGD(self.budget, steps, step_size=self.params.pgd_step_size, keep_best=False)

    def step(self, model: nn.Module, batch: Batch) -> Losses:
        """Named losses of the detector on one batch, after the adversaries had their turn."""
        self._round = self._next_round(model, batch)
        if self.params.batch_statistics == "frozen":
            _freeze_batch_statistics(model)
        crops = {"clean": batch.x, "pgd": self._round.x_pgd, "unet": self._round.x_unet}
        met = {name: x for name, x in crops.items() if x is not None}
        # One pass: batch statistics that are not frozen are those of the mixture.
        parts = model(torch.cat(list(met.values()))).split([len(x) for x in met.values()])
        self._seen["eps"] += self.budget
        self._steps += 1
        return self._losses(dict(zip(met, parts, strict=True)), batch.y)

    def observed(self) -> dict[str, float]:
        """What the adversaries did, as means since the last call: budget, and the U-Net's losses."""
        means = {f"train/{name}": value / self.params.steps for name, value in self._seen.items()}
        self._seen.clear()
        return means if self.opponents.pgd or self.opponents.unet else {}

    def review(self, fit: Fit) -> None:
        """Remember this epoch's U-Net; after catastrophic overfitting take the epoch back and strengthen PGD.

        Catastrophic overfitting (Wong et al. 2020): the detector withstands the cheap inner attack as well as before,
        and the stronger attack that watches it finds it broken.
        """
        if self.opponents.unet:
            self._pool.append(_copy(self.unet))
        metrics = fit.history[-1]
        watched = metrics.get("val/watch_auc", 1.0)
        broken = watched < self._best_watched - self.params.max_overfit
        if broken and self._good and metrics["val/inner_auc"] - watched > self.params.max_overfit:
            fit.model.load_state_dict(self._good["model"])
            fit.average.module.load_state_dict(self._good["average"])
            self._strength *= 2
            return
        self._best_watched = max(watched, self._best_watched) if self.opponents.pgd else 0.0
        self._good = {"model": _copy(fit.model), "average": _copy(fit.average.module)}

    def state_dict(self) -> dict[str, Any]:
        """As `Companion`."""
        return {
            "unet": self.unet.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "pool": list(self._pool),
            "good": self._good,
            "numbers": [self._steps, self._strength, self._best_watched],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `Companion`."""
        self.unet.load_state_dict(state["unet"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._pool = deque(state["pool"], maxlen=self.params.pool)
        self._good = state["good"]
        self._steps, self._strength, self._best_watched = state["numbers"]

    def _losses(self, logits: dict[str, Tensor], y: Tensor) -> Losses:
        params, smoothing = self.params, self.params.label_smoothing
        losses = {"clean": params.clean_weight * detection_loss(logits["clean"], y, smoothing)}
        if "pgd" in logits:
            trades = params.pgd_loss == "trades"
            loss = divergence(logits["clean"], logits["pgd"]) if trades else detection_loss(logits["pgd"], y, smoothing)
            losses["pgd"] = params.pgd_weight * loss
        if "unet" in logits:
            attacked = y[: len(logits["unet"])]
            losses["unet"] = params.unet_weight * detection_loss(logits["unet"], attacked, smoothing)
        return losses

    def _next_round(self, model: nn.Module, batch: Batch) -> _Round:
        """The same batch with its perturbation moved on, or a new one."""
        last, length = self._round, self.params.pgd_step_size * self.budget
        if last is not None and last.batch is batch:
            x_pgd = None if last.x_pgd is None else move_on(last.x_pgd, batch.x, self.budget, length)
            return _Round(batch, x_pgd, last.x_unet)
        x_pgd = self._meet_pgd(model, batch) if self.opponents.pgd else None
        return _Round(batch, x_pgd, self._meet_unet(model, batch) if self.opponents.unet else None)

    def _meet_pgd(self, model: nn.Module, batch: Batch) -> Tensor:
        seeds = torch.randint(2**62, batch.y.shape).tolist()
        if self.is_free:
            return start(batch.x, self.budget, seeds)
        return self.inner_attack(model, batch.x, batch.y, seeds)

    def _meet_unet(self, model: nn.Module, batch: Batch) -> Tensor:
        batch = batch.first(round(self.params.unet_share * len(batch.y)))
        losses = unet_losses(self.unet, model, batch, self.unet_params, self.budget)
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            raise TrainingError("the U-Net's loss is not finite; try a lower robust.unet_learning_rate")
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.unet.parameters(), self.unet_params.max_gradient_norm)
        self._optimizer.step()
        for name, value in losses.items():
            self._seen[name] += value.item()
        if self._pool and torch.rand(()) < 0.5:
            self._earlier.load_state_dict(self._pool[int(torch.randint(len(self._pool), ()))])
            return Learned(self._earlier, self.budget)(model, batch.x, batch.y, ())
        return Learned(self.unet, self.budget)(model, batch.x, batch.y, ())


def _freeze_batch_statistics(model: nn.Module) -> None:
    """BatchNorm keeps its running statistics."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def _copy(module: nn.Module) -> Weights:
    return {name: value.clone() for name, value in module.state_dict().items()}
