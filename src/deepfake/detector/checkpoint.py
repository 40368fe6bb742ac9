"""A trained detector as one file: weights, how to build it, how it was trained, and how to read its logits."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from deepfake.archive import checked_weights, load_archive, require_fit, save_archive
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import CheckpointError, SettingsError
from deepfake.params import CropsParams, DetectorParams, FacesParams
from deepfake.records import Calibration

FORMAT = "deepfake-detector-1"


@dataclass(frozen=True)
class Checkpoint:
    """All that scoring a face needs.

    Attributes:
        detector: how the network is built.
        faces, crops: how its crops were found and cut.
        weights: state dict of HybridDetector on the CPU, float32; large ones float16 where it was exported.
        calibration: thresholds and temperature.
        training: how it was trained: plain names and numbers, for people.
    """

    detector: DetectorParams
    faces: FacesParams
    crops: CropsParams
    weights: dict[str, torch.Tensor]
    calibration: Calibration
    training: dict[str, Any]

    def build(self, device: torch.device) -> HybridDetector:
        """The detector in eval mode, with frozen parameters, in float32 whatever the weights are stored in.

        Raises:
            CheckpointError: the weights are not those of the network that the file describes.
        """
        model = self._network()
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:
            raise CheckpointError(f"weights do not fit the detector they claim to be: {error}") from error
        model.requires_grad_(False)
        return model.eval().to(device).to(memory_format=torch.channels_last)

    def require_fit(self) -> None:
        """Make sure, without filling any memory, that the weights are those of the network.

        Raises:
            CheckpointError: they are not, or there is no such network.
        """
        try:
            with torch.device("meta"):  # the file may describe any network, and hold none of it
                require_fit(self.weights, self._network().state_dict())
        except SettingsError as error:
            raise CheckpointError(str(error)) from error

    def _network(self) -> HybridDetector:
        # Weights come from the file, not from the network or the file that training started from.
        return HybridDetector(self.detector.model_copy(update={"pretrained": False, "weights": None}))


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all; the same checkpoint gives the same bytes."""
    content = {
        "format": FORMAT,
        "detector": checkpoint.detector.model_dump(mode="json"),
        "faces": checkpoint.faces.model_dump(mode="json"),
        "crops": checkpoint.crops.model_dump(mode="json"),
        "weights": {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.weights.items()},
        "calibration": asdict(checkpoint.calibration),
        "training": checkpoint.training,
    }
    save_archive(path, content)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing that is stored in the file is run.

    Raises:
        CheckpointError: no file, not one of ours, damaged, or with values that no detector has.
    """
    content = load_archive(path, FORMAT, name="a checkpoint")
    try:
        checkpoint = Checkpoint(
            detector=DetectorParams.model_validate(content["detector"]),
            faces=FacesParams.model_validate(content["faces"]),
            crops=CropsParams.model_validate(content["crops"]),
            weights=checked_weights(content["weights"]),
            calibration=_calibration(content["calibration"]),
            training=_training(content["training"]),
        )
        checkpoint.require_fit()
    except (KeyError, TypeError, ValueError, OverflowError, CheckpointError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
    return checkpoint


def _calibration(content: dict[str, Any]) -> Calibration:
    calibration = Calibration(**content)
    for name, value in vars(calibration).items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} should be a finite number, not {value!r:.100}")
    if calibration.temperature <= 0:
        raise ValueError(f"temperature should be above 0, not {calibration.temperature}")
    return calibration


def _training(content: object) -> dict[str, Any]:
    if not isinstance(content, dict) or not all(map(_is_plain, [*content, *content.values()])):
        raise ValueError("its training should be a table of names and numbers")
    return content


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)
