"""The U-Net that plays against a detector in training (Goodfellow et al. 2014 for the game)."""

import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from deepfake.attacks.learned import Learned
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.params import RobustParams, UnetParams
from deepfake.ranks import average_over_ranks
from deepfake.training.attacker import unet_losses
from deepfake.training.fit import gradients
from deepfake.training.loop import MOST_SETBACKS, TrainingError

Weights = dict[str, Tensor]
DIVERGED = 1000.0  # nats; a perturbation is bounded, and the loss of a U-Net that still plays is a few


class UnetOpponent:
    """A U-Net with an optimiser of its own, and its past.

    It takes a step on every batch; half of the time the detector meets one of its earlier selves, so that the game does
    not go in circles.

    Args:
        params: learning rate, and how many earlier selves there are.
        unet_params: what shapes the perturbation.
        unet: the U-Net to start with.

    Attributes:
        unet: as it is now.
        optimizer: a new one after every divergence.
        seen: its losses, step by step; whoever reads them may clear them.
    """

    def __init__(self, params: RobustParams, unet_params: UnetParams, unet: PerturbationUNet) -> None:
        self.unet, self.unet_params = unet.requires_grad_(True), unet_params
        self.optimizer = torch.optim.Adam(self.unet.parameters(), lr=params.unet_learning_rate)
        self.seen: dict[str, list[float]] = defaultdict(list)
        self._earlier = deepcopy(unet)
        self._pool: deque[Weights] = deque(maxlen=params.pool)
        self._setbacks = 0

    def play(self, detector: nn.Module, batch: Batch, eps: float) -> Tensor:
        """One step of the U-Net's own -> the crops (B, 3, S, S) that the detector meets.

        Raises:
            TrainingError: it diverged, too often.
        """
        self._learn(detector, batch, eps)
        met = self.unet
        if self._pool and torch.rand(()) < 0.5:
            met = self._earlier
            met.load_state_dict(self._pool[int(torch.randint(len(self._pool), ()))])
        return Learned(met, eps)(detector, batch.x, batch.y, ())

    def review(self, metrics: Mapping[str, float]) -> None:
        """Remember this epoch's U-Net; one that diverged is taken back.

        Raises:
            TrainingError: that, too often.
        """
        if metrics.get("train/attack", 0.0) > DIVERGED or not _is_finite(self.unet.parameters()):
            self._take_back()
        self._pool.append(deepcopy(self.unet.state_dict()))

    def state_dict(self) -> dict[str, Any]:
        """As `Companion`."""
        return {
            "unet": self.unet.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pool": list(self._pool),
            "setbacks": self._setbacks,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `Companion`."""
        self.unet.load_state_dict(state["unet"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._pool = deque(state["pool"], maxlen=self._pool.maxlen)
        self._setbacks = state["setbacks"]

    def _learn(self, detector: nn.Module, batch: Batch, eps: float) -> None:
        losses = unet_losses(self.unet, detector, batch, self.unet_params, eps)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        average_over_ranks(gradients(self.unet))
        nn.utils.clip_grad_norm_(self.unet.parameters(), self.unet_params.max_gradient_norm)
        if not _is_finite(gradients(self.unet)):  # nor was the loss
            self._take_back()
            return
        self.optimizer.step()
        for name, value in losses.items():
            self.seen[name].append(value.item())

    def _take_back(self) -> None:
        """The U-Net's last good weights again, with half the learning rate and none of the moments."""
        if self._setbacks == MOST_SETBACKS:
            raise TrainingError("the U-Net diverges again and again; try a lower robust.unet_learning_rate")
        self._setbacks += 1
        self.unet.load_state_dict(self._pool[-1] if self._pool else self._earlier.state_dict())
        rate = self.optimizer.param_groups[0]["lr"] / 2
        self.optimizer = torch.optim.Adam(self.unet.parameters(), lr=rate)
        print(f"the U-Net's loss diverged: back to its last good weights, learning rate {rate:g}", file=sys.stderr)


def _is_finite(tensors: Iterable[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
