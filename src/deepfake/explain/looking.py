"""Letting a detector look at faces: its logits, its maps, and what the maps are worth."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from deepfake.crops.batches import to_unit
from deepfake.explain.faithfulness import breadth_score, overlap_score, road_score, stability_score
from deepfake.explain.gradcam import gradcam, upsample
from deepfake.findings import Explanation
from deepfake.modes import evaluating
from deepfake.records import Box, CropRow


@dataclass(frozen=True)
class Face:
    """A face to explain.

    Attributes:
        row: its index row.
        crop: uint8 RGB (S, S, 3).
        region: bool (S, S), True where it was forged; None where that is not known.
    """

    row: CropRow
    crop: np.ndarray
    region: np.ndarray | None


@dataclass(frozen=True)
class Look:
    """What a detector makes of one picture.

    Attributes:
        pixels: the picture, uint8 RGB (S, S, 3).
        evidence: Grad-CAM map (h, w) of the evidence of fake, not normalised; negative where it speaks for real.
        logit: positive means fake.
    """

    pixels: np.ndarray
    evidence: np.ndarray
    logit: float

    @property
    def relevance(self) -> np.ndarray:
        """Relevance (S, S) at the size of the picture: the evidence, cut at 0 as Grad-CAM is."""
        return upsample(np.maximum(self.evidence, 0), len(self.pixels))


def look_at(model: nn.Module, pixels: np.ndarray) -> list[Look]:
    """Grad-CAM of pictures, uint8 RGB (B, S, S, 3), on the model's device."""
    maps, logits = gradcam(model, to_unit(pixels, _device(model)), rectify=False)
    columns = (pixels, maps.cpu().numpy(), logits.tolist())
    return [Look(*values) for values in zip(*columns, strict=True)]


def measure(model: nn.Module, face: Face, look: Look, clean: Look, *, seed: int) -> Explanation:
    """The numbers of one look; the names of model, role and condition are left empty, floats are rounded.

    What ranks pixels (ROAD, stability) uses the evidence with its sign: an attack that leaves no evidence of fake makes
    the map empty, and to leave such faces out would flatter the detector. What shares relevance out is NaN for them.

    Args:
        model: the detector that looked.
        face: what it looked at, before anything was done to it.
        look: what it saw.
        clean: what it saw in the unchanged face.
        seed: of ROAD's noise.
    """
    ranked = upsample(look.evidence, len(look.pixels))
    numbers = {
        "logit": look.logit,
        "faithfulness": road_score(lambda x: _score(model, x), look.pixels / np.float32(255), ranked, seed=seed),
        "breadth": breadth_score(_inside(look.relevance, face.row.face)),
        "overlap": overlap_score(look.relevance, face.region),
        "stability": stability_score(look.evidence, clean.evidence),
    }
    rounded = {name: round(number, 6) for name, number in numbers.items()}
    return Explanation(model="", role="", condition="", video=face.row.video, frame=face.row.frame, **rounded)


@torch.no_grad()
def _score(model: nn.Module, pictures: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(pictures).to(_device(model)).permute(0, 3, 1, 2)
    with evaluating(model):
        return model(x).cpu().numpy()


def _inside(relevance: np.ndarray, box: Box) -> np.ndarray:
    size = len(relevance)
    x0, y0, x1, y1 = (min(max(round(edge), 0), size) for edge in box)
    return relevance[y0:y1, x0:x1]


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
