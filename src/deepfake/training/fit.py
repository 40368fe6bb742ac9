"""The state of a fit: weights, their average, optimiser and companions, and a file to go on from after a kill."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from timm.optim import param_groups_weight_decay
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deepfake.params import FitParams
from deepfake.runtime import open_device, replacing


class Companion(Protocol):
    """What changes along with the model and must survive a kill with it, such as an adversary."""

    def state_dict(self) -> dict[str, Any]:
        """All of its state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        ...


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
        setbacks: times that it went back to an earlier state and halved its learning rate.
    """

    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    companions: dict[str, Companion] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    setbacks: int = 0

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all, even where the power is cut."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"history": self.history, "best_epoch": self.best_epoch, "best_weights": self.best_weights}
        state |= {"setbacks": self.setbacks}
        with replacing(path) as temporary, temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())

    def load(self, path: Path, device: torch.device) -> None:
        """Go on from a saved state."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.history, self.best_epoch = state["history"], state["best_epoch"]
        self.best_weights, self.setbacks = state["best_weights"], state["setbacks"]

    def halve_learning_rate(self) -> None:
        """Halve the rest of the schedule; the optimizer's state holds what the schedule is computed from."""
        for group in self.optimizer.param_groups:
            group |= {name: group[name] / 2 for name in ("lr", "initial_lr", "max_lr", "min_lr") if name in group}

    def _parts(self) -> dict[str, Any]:
        named = {"model": self.model, "average": self.average, "optimizer": self.optimizer, "schedule": self.schedule}
        return named | self.companions


def open_training_device() -> torch.device:
    """`open_device`; a CPU computes with two threads, however many cores it has.

    Their number decides how sums are rounded, and so which detector training ends at. `OMP_NUM_THREADS` overrides it.
    """
    device = open_device()
    if device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(2)
    return device


def prepare_fit(model: nn.Module, params: FitParams) -> Fit:
    """A fit that has not taken a step: AdamW, one-cycle schedule (Smith 2018), averaged weights."""
    groups = param_groups_weight_decay(model, params.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=params.learning_rate)
    steps = params.epochs * params.steps
    warmup = params.warmup if params.warmup * steps != 1 else params.warmup / 2  # of one step torch divides by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, params.learning_rate, total_steps=steps, pct_start=warmup)
    decay = 0.5 ** (1 / (params.average_halflife * params.steps))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    return Fit(model, average, optimizer, schedule)


def gradients(model: nn.Module) -> Iterator[Tensor]:
    """Those that a backward pass left."""
    return (parameter.grad for parameter in model.parameters() if parameter.grad is not None)


def moving_statistics(model: nn.Module) -> Iterator[Tensor]:
    """What BatchNorm gathered, where it is not frozen."""
    return (buffer for module in model.modules() if module.training for buffer in module.buffers(recurse=False))
