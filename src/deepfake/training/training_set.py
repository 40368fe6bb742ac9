"""The crops a detector learns from: self-blended ones among them, augmented, in batches; and what to say of them."""

import numpy as np
import torch

from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.augmentation import augment
from deepfake.crops.batches import TrainingBatches
from deepfake.crops.cutting import mask_face
from deepfake.crops.self_blending import METHOD, is_self_blended, self_blend, with_self_blended
from deepfake.crops.shards import CropSet
from deepfake.params import AugmentParams
from deepfake.records import FAKE, CropRow, VideoKey
from deepfake.runtime import worker_count


def augmented_batches(
    crops: CropSet, params: AugmentParams, *, steps: int, batch_size: int, seed: int, device: torch.device,
    mask_faces: bool = False,
) -> TrainingBatches:  # fmt: skip
    """Batches of augmented crops; a face that is to be masked is so before augmentation.

    Args:
        crops: training crops.
        params: augmentation.
        steps, batch_size, seed, device: as for `TrainingBatches`.
        mask_faces: grey out every face.
    """

    def transform(crop: np.ndarray, row: CropRow, rng: np.random.Generator) -> np.ndarray:
        if params.self_blended and is_self_blended(row):
            crop = self_blend(crop, row.face, rng)
        if mask_faces:
            crop = mask_face(crop, row.face)
        return augment(crop, params, rng, compress=jpeg)

    crops = with_self_blended(crops) if params.self_blended else crops
    return TrainingBatches(crops, steps, batch_size, transform, seed=seed, device=device, workers=worker_count())


def trained_on(crops: CropSet, params: AugmentParams) -> dict[str, str | int]:
    """What a checkpoint says of its training crops: datasets, methods of its fakes, and how much of it there was."""
    videos = crops.seen
    methods = {video.method for video in videos.values() if video.label == FAKE}
    methods |= {METHOD} if params.self_blended else set()
    return {
        "datasets": ", ".join(sorted({VideoKey.parse(key).dataset for key in videos})),
        "methods": ", ".join(sorted(methods)),
        "groups of people": len({video.cluster for video in videos.values()}),  # who share a video are one
        "videos": len(videos),
        "crops": len(crops.rows),
    }
