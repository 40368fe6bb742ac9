"""Splits that keep people apart: identity components, their deal into splits, and the audit of every dataset."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deepfake.datasets.found import FoundVideo
from deepfake.errors import DataError
from deepfake.records import FAKE, REAL, Split
from deepfake.runtime import derive_seed

# In order of precedence where there are too few components for all three.
SHARES: dict[Split, float] = {"train": 0.7, "test": 0.2, "val": 0.1}


def components(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Component of every identity: people who occur together, directly or through others, share one.

    A component is named by its smallest identity, so that names do not depend on the order of the groups.
    """
    parents: dict[str, str] = {}

    def root(identity: str) -> str:
        parents.setdefault(identity, identity)
        while parents[identity] != identity:
            parents[identity] = parents[parents[identity]]
            identity = parents[identity]
        return identity

    for group in groups:
        roots = sorted({root(identity) for identity in group})
        parents.update(dict.fromkeys(roots[1:], roots[0]))
    return {identity: root(identity) for identity in parents}


def assign_splits(videos: Sequence[FoundVideo], *, role: str) -> list[Split]:
    """Split of every video: the dataset's own, or dealt by component; always `test` in the role `cross`.

    Components that hold only real, only fake, or both kinds of videos are dealt separately, so that every split
    gets its share of each. The deal depends on the identities alone: a run's seed does not change the dataset.
    """
    if role == "cross":
        return ["test"] * len(videos)
    people = components(video.identities for video in videos)
    sizes = Counter(people[video.identities[0]] for video in videos)
    labels: dict[str, set[int]] = defaultdict(set)
    for video in videos:
        labels[people[video.identities[0]]].add(video.label)
    dealt: dict[str, Split] = {}
    for kind in ({REAL}, {FAKE}, {REAL, FAKE}):
        dealt |= deal({name: size for name, size in sizes.items() if labels[name] == kind})
    return [video.split or dealt[people[video.identities[0]]] for video in videos]


def deal(sizes: Mapping[str, int]) -> dict[str, Split]:
    """Deal components of the given sizes: largest first, each to the split that is furthest from its share.

    No split exceeds its share of the total by more than the largest component.
    """
    filled = dict.fromkeys(SHARES, 0)
    dealt: dict[str, Split] = {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], derive_seed("split", name))):
        split = min(SHARES, key=lambda split: filled[split] / SHARES[split])
        filled[split] += sizes[name]
        dealt[name] = split
    return dealt


def audit(videos: Sequence[FoundVideo], splits: Sequence[Split], *, root: Path, role: str) -> None:
    """Refuse a dataset on which no honest number can be measured.

    Raises:
        DataError: no videos, one key for two files, one person in two splits, or a split without both classes.
    """
    if not videos:
        raise DataError(f"{root}: no videos for datasets.{role}; is its layout the right one?")
    _refuse_twins(videos)
    _refuse_shared_people(videos, splits)
    for split in ("test",) if role == "cross" else ("train", "val", "test"):
        counts = Counter(video.label for video, its in zip(videos, splits, strict=True) if its == split)
        if not (counts[REAL] and counts[FAKE]):
            raise DataError(
                f"{root}: split {split} has {counts[REAL]} real and {counts[FAKE]} fake videos; "
                f"datasets.{role} needs both kinds there"
            )


def _refuse_twins(videos: Sequence[FoundVideo]) -> None:
    paths: dict[str, Path] = {}
    for video in videos:
        other = paths.setdefault(str(video.key), video.path)
        if other is not video.path:
            raise DataError(f"{video.key} is both {other} and {video.path}; every video needs a name of its own")


def _refuse_shared_people(videos: Sequence[FoundVideo], splits: Sequence[Split]) -> None:
    seen: dict[str, tuple[FoundVideo, Split]] = {}
    for video, split in zip(videos, splits, strict=True):
        for identity in video.identities:
            other, other_split = seen.setdefault(identity, (video, split))
            if other_split != split:
                raise DataError(
                    f"identity {identity} is in two splits: {other.key} in {other_split} and {video.key} in {split}; "
                    "a person may be in one only"
                )
