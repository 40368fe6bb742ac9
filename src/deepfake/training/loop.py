"""Fit a detector: steps, averaged weights, validation, the best epoch, and a state to go on from after a kill."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from timm.optim import param_groups_weight_decay
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deepfake.crops.batches import Batch
from deepfake.errors import DeepfakeError
from deepfake.params import FitParams
from deepfake.ranks import average
from deepfake.runtime import derive_seed, is_first, progress, rank, replacing

Losses = dict[str, Tensor]
Step = Callable[[nn.Module, Batch], Losses]
Validate = Callable[[nn.Module], dict[str, float]]


class TrainingError(DeepfakeError):
    """Training that cannot go on, or did nothing."""


class Companion(Protocol):
    """What changes along with the model and must survive a kill with it, such as an adversary."""

    def state_dict(self) -> dict[str, Any]:
        """All of its state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...


@dataclass(frozen=True)
class Task:
    """What is to be fitted, and by what it is judged.

    Attributes:
        batches: batches of an epoch, by its number.
        step: named losses of a batch; their sum is minimised.
        validate: metrics of the averaged model; the epoch with the largest `rank` is kept.
        rank: how good an epoch's metrics are; compared as tuples.
        review: looks at the fit after every epoch, and may take back what the epoch did.
    """

    batches: Callable[[int], Iterable[Batch]]
    step: Step
    validate: Validate
    rank: Callable[[dict[str, float]], tuple[float, ...]]
    review: Callable[["Fit"], None] = lambda _: None


@dataclass
class Fit:
    """The state of a fit after some epochs.

    Attributes:
        model: weights being trained.
        average: exponential moving average of weights and buffers; this is what is validated and kept.
        companions: by name, what is saved along with the model.
        history: metrics of each finished epoch.
        best_epoch: number of the best one, from 0; -1 before the first.
        best_weights: the average's weights after that epoch.
    """

    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    companions: dict[str, Companion] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"history": self.history, "best_epoch": self.best_epoch, "best_weights": self.best_weights}
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path, device: torch.device) -> None:
        """Go on from a saved state."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.history, self.best_epoch = state["history"], state["best_epoch"]
        self.best_weights = state["best_weights"]

    def _parts(self) -> dict[str, Any]:
        named = {"model": self.model, "average": self.average, "optimizer": self.optimizer, "schedule": self.schedule}
        return named | self.companions


def prepare_fit(model: nn.Module, params: FitParams) -> Fit:
    """A fit that has not taken a step: AdamW, one-cycle schedule (Smith 2018), averaged weights."""
    groups = param_groups_weight_decay(model, params.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, params.learning_rate, total_steps=params.epochs * params.steps, pct_start=params.warmup
    )
    decay = 0.5 ** (1 / (params.average_halflife * params.steps))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    return Fit(model, average, optimizer, schedule)


def run_fit(
    fit: Fit, task: Task, params: FitParams, *, seed: int, state: Path, log: Callable[[dict[str, float]], None]
) -> None:
    """Train until `params.epochs` epochs are in the history, going on from `state` if it exists.

    The result does not depend on where an earlier run was killed. Of several ranks, each has a part of every batch and
    the same weights; `task.validate` must say the same on all of them.

    Args:
        fit: as `prepare_fit` gives it; changed in place.
        task: data, loss and judgement.
        params: number of epochs and steps, clipping.
        seed: of dropout; reseeded every epoch.
        state: file to keep the state in.
        log: gets the metrics of every epoch, those before `state` included.

    Raises:
        TrainingError: a loss that is not finite, or an epoch that moved no parameter.
    """
    device = next(fit.model.parameters()).device
    if state.exists():
        fit.load(state, device)
    for metrics in fit.history:
        log(metrics)
    for epoch in range(len(fit.history), params.epochs):
        torch.manual_seed(derive_seed(seed, "dropout", rank() * params.epochs + epoch))
        metrics = _train_epoch(fit, task, params, epoch)
        metrics |= task.validate(fit.average.module)
        fit.history.append(metrics)
        if fit.best_epoch < 0 or task.rank(metrics) > task.rank(fit.history[fit.best_epoch]):
            fit.best_epoch = epoch
            fit.best_weights = {name: value.clone() for name, value in fit.average.module.state_dict().items()}
        task.review(fit)
        if is_first():
            fit.save(state)
        log(metrics)


def _train_epoch(fit: Fit, task: Task, params: FitParams, epoch: int) -> dict[str, float]:
    device = next(fit.model.parameters()).device
    before = torch.cat([parameter.detach().flatten() for parameter in fit.model.parameters()])
    totals: dict[str, Tensor] = {}
    fit.model.train()
    title = f"epoch {epoch + 1}/{params.epochs}"
    for batch in progress(task.batches(epoch), total=params.steps, title=title):
        # bf16 has float32's range: nothing overflows, so there is no loss scaler that could skip steps.
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            losses = task.step(fit.model, batch)
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            named = ", ".join(f"{name} {value.item():g}" for name, value in losses.items())
            raise TrainingError(f"epoch {epoch + 1}: the loss is not finite ({named}); try a lower learning_rate")
        fit.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average([*gradients(fit.model), *_moving_statistics(fit.model)])
        nn.utils.clip_grad_norm_(fit.model.parameters(), params.max_gradient_norm)
        fit.optimizer.step()
        fit.schedule.step()
        fit.average.update_parameters(fit.model)
        for name, value in losses.items():
            totals[name] = totals.get(name, torch.zeros((), device=device)) + value.detach()
    after = torch.cat([parameter.detach().flatten() for parameter in fit.model.parameters()])
    if torch.equal(before, after):
        raise TrainingError(f"epoch {epoch + 1}: no parameter moved")
    average(totals.values())
    return {f"train/{name}": value.item() / params.steps for name, value in totals.items()}


def gradients(model: nn.Module) -> Iterator[Tensor]:
    """Those that a backward pass left."""
    return (parameter.grad for parameter in model.parameters() if parameter.grad is not None)


def _moving_statistics(model: nn.Module) -> Iterator[Tensor]:
    """What BatchNorm gathered, where it is not frozen."""
    return (buffer for module in model.modules() if module.training for buffer in module.buffers(recurse=False))
