"""Catastrophic overfitting: seen by an attack that training does not use, and taken back."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from torch import nn
from torch.optim import Optimizer


class LastGood:
    """What training stood at after the last epoch that withstood the attack which watches it.

    Catastrophic overfitting (Wong et al. 2020): the detector withstands the cheap inner attack as well as before, and
    the stronger attack finds it broken.

    Args:
        max_gap: in AUC, how far the stronger attack may be below the inner one, and below its best before.
    """

    def __init__(self, max_gap: float) -> None:
        self.max_gap = max_gap
        self._best, self._networks, self._moments = 0.0, list[Any](), list[Any]()

    def is_lost(self, metrics: Mapping[str, float]) -> bool:
        """Whether an epoch with these metrics overfitted, and there is something to go back to."""
        watched = metrics.get("val/watch_auc", 1.0)
        fell = watched < self._best - self.max_gap
        return fell and bool(self._networks) and metrics["val/inner_auc"] - watched > self.max_gap

    def keep(
        self, metrics: Mapping[str, float], networks: Sequence[nn.Module], optimizers: Sequence[Optimizer]
    ) -> None:
        """Remember networks and the moments of their optimisers."""
        self._best = max(metrics.get("val/watch_auc", 1.0), self._best)
        self._networks = [deepcopy(network.state_dict()) for network in networks]
        self._moments = [deepcopy(optimizer.state_dict()["state"]) for optimizer in optimizers]

    def restore(self, networks: Sequence[nn.Module], optimizers: Sequence[Optimizer]) -> None:
        """Put back what was kept; learning rates stay where the schedule is."""
        for network, weights in zip(networks, self._networks, strict=True):
            network.load_state_dict(weights)
        for optimizer, moments in zip(optimizers, self._moments, strict=True):
            optimizer.load_state_dict({**optimizer.state_dict(), "state": deepcopy(moments)})

    def state_dict(self) -> dict[str, Any]:
        """As `Companion`."""
        return {"best": self._best, "networks": self._networks, "moments": self._moments}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `Companion`."""
        self._best, self._networks, self._moments = state["best"], state["networks"], state["moments"]
