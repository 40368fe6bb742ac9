"""A detector that was never trained, for tests that need a checkpoint and no good one."""

import torch

from deepfake.detector.checkpoint import Checkpoint
from deepfake.detector.hybrid import HybridDetector
from deepfake.params import ClipParams, CropsParams, DetectorParams, FacesParams
from deepfake.records import Calibration

DETECTOR = DetectorParams(
    backbone="efficientnet_lite0", stride=8, dim=16, depth=1, heads=2, dropout=0, pretrained=False, weights=None
)  # fmt: skip


def random_checkpoint(*, dim: int = 16) -> Checkpoint:
    """The same small detector with random weights every time, of a transformer `dim` wide."""
    torch.manual_seed(0)
    detector = DETECTOR.model_copy(update={"dim": dim})
    clip = ClipParams(clips=1, length=1)
    return Checkpoint(
        detector=detector,
        faces=FacesParams(train_frames=clip, eval_frames=clip, max_side=480, min_face=40, min_probability=0.9),
        crops=CropsParams(size=64, margin=1.3, shards=4),
        weights=HybridDetector(detector).state_dict(),
        calibration=Calibration(frame_threshold=1.5, video_threshold=0.5, temperature=2.0),
        training={"stage": "train_baseline", "seed": 1, "val/auc": 0.9},
    )
