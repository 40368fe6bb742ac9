"""Which fakes are explained: one frame of each, spread over forgery methods and over people."""

from collections import Counter, defaultdict

from deepfake.crops.shards import CropSet
from deepfake.errors import DataError
from deepfake.records import FAKE, CropRow, FaceVideo
from deepfake.runtime import derive_seed


def pick_fakes(crops: CropSet, count: int, *, seed: int) -> list[CropRow]:
    """The middle crop of up to `count` fakes: methods take turns, and each takes a video of whom was seen least so far.

    The first few are thus spread as evenly as all of them. Each video comes up at most once, so there are fewer than
    `count` where there are fewer fakes.

    Raises:
        DataError: there is no crop of a fake.
    """
    rows: dict[str, list[CropRow]] = defaultdict(list)
    waiting: dict[str, list[FaceVideo]] = defaultdict(list)
    for row in crops.rows:
        if crops.label(row) == FAKE:
            rows[row.video].append(row)
    for key in sorted(rows, key=lambda key: derive_seed(seed, "explain", key)):
        waiting[crops.videos[key].method].append(crops.videos[key])
    if not waiting:
        raise DataError("no crop of a fake among the test videos: there is nothing to explain")
    seen: Counter[str] = Counter()
    picked: list[CropRow] = []
    while len(picked) < count and any(waiting.values()):
        for method in sorted(waiting):
            if waiting[method] and len(picked) < count:
                video = min(waiting[method], key=lambda video: seen[video.cluster])
                waiting[method].remove(video)
                seen[video.cluster] += 1
                picked.append(rows[video.video][len(rows[video.video]) // 2])
    return picked
