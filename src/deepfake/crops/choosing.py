"""Some crops of many, evenly spread: what is too dear to do on all of them is done on these."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from deepfake.crops.shards import CropSet
from deepfake.records import CropRow


def evenly(rows: Sequence[CropRow], count: int) -> list[CropRow]:
    """At most `count` rows, each from the middle of an equally long piece of `rows`."""
    places = (np.arange(count) + 0.5) * len(rows) / count if count < len(rows) else np.arange(len(rows))
    return [rows[int(place)] for place in places]


def few_per_video(crops: CropSet, frames: int) -> CropSet:
    """At most `frames` crops of every video, evenly spread over it."""
    by_video: dict[str, list[CropRow]] = defaultdict(list)
    for row in crops.rows:
        by_video[row.video].append(row)
    return crops.with_rows([row for rows in by_video.values() for row in evenly(rows, frames)])
