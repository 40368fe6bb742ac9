"""From a dataset's folder to video records: one adapter per layout, one audit for all."""

import os
from collections.abc import Callable
from pathlib import Path

from deepfake.datasets.attributes import find_groups
from deepfake.datasets.celebdf import read_celebdf
from deepfake.datasets.ffpp import read_ffpp
from deepfake.datasets.found import FoundVideo
from deepfake.datasets.manifest import read_manifest
from deepfake.datasets.splits import assign_splits, audit, components
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import VideoRecord

# An adapter may leave a video's split and cluster open; they are then computed from its identities.
_ADAPTERS: dict[str, Callable[..., list[FoundVideo]]] = {
    "ffpp": read_ffpp,
    "celebdf": read_celebdf,
    "manifest": read_manifest,
}


def find_videos(params: DatasetParams, *, role: str) -> list[VideoRecord]:
    """Every video of a dataset with its label, split and cluster, sorted by key; no file is opened.

    In the role `cross` every video is a test video. Groups that the dataset's `attributes.csv` states are filled in.

    Raises:
        DataError: one line that names the folder, file or key, and what would be right.
    """
    root = Path(params.root)
    if not os.path.isdir(root):  # noqa: PTH112 (Path.is_dir raises for a name that is too long)
        raise DataError(f"{root}: no such folder; datasets.{role}.root names a dataset with the {params.layout} layout")
    found = sorted(_ADAPTERS[params.layout](params, role=role), key=lambda video: video.key)
    splits = assign_splits(found, role=role)
    audit(found, splits, root=root, role=role)
    people = components(video.identities for video in found)
    groups = find_groups(found, root / "attributes.csv")
    return [
        VideoRecord(
            key=video.key,
            path=video.path,
            kind=video.kind,
            label=video.label,
            split=split,
            cluster=video.cluster or people[video.identities[0]],
            skin_tone=groups[video.key].skin_tone,
            light=groups[video.key].light,
        )
        for video, split in zip(found, splits, strict=True)
    ]
