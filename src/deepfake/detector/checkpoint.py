"""A trained detector as one file: weights, how to build it, how it was trained, and how to read its logits."""

from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import is_zipfile

import torch
from pydantic import ValidationError

from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import CheckpointError
from deepfake.params import CropsParams, DetectorParams, FacesParams
from deepfake.records import Calibration
from deepfake.runtime import replacing

FORMAT = "deepfake-detector-1"

# What torch's restricted unpickler raises on bytes that are damaged or forbidden.
_UNREADABLE = (OSError, RuntimeError, EOFError, UnpicklingError, ValueError, LookupError, TypeError, AttributeError)


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
        # Weights come from here, not from the network or the file that training started from.
        model = HybridDetector(self.detector.model_copy(update={"pretrained": False, "weights": None}))
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:
            raise CheckpointError(f"weights do not fit the detector they claim to be: {error}") from error
        model.requires_grad_(False)
        return model.eval().to(device).to(memory_format=torch.channels_last)


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
    buffer = BytesIO()  # torch.save to a path writes the file's name into the archive
    torch.save(content, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing that is stored in the file is run.

    Raises:
        CheckpointError: no file, not one of ours, or damaged.
    """
    if not path.exists():
        raise CheckpointError(f"{path}: no such file")
    if not is_zipfile(path):
        raise CheckpointError(f"{path}: not a checkpoint, or cut short")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: not a checkpoint that can be loaded safely: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a {FORMAT} file")
    try:
        return Checkpoint(
            detector=DetectorParams.model_validate(content["detector"]),
            faces=FacesParams.model_validate(content["faces"]),
            crops=CropsParams.model_validate(content["crops"]),
            weights=content["weights"],
            calibration=Calibration(**content["calibration"]),
            training=content["training"],
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"{path}: damaged: {error}") from error
