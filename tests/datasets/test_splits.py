"""Splits: people who occur together stay together, shares are kept, and bad splits are refused."""

import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfake.datasets.found import FoundVideo
from deepfake.datasets.splits import SHARES, assign_splits, audit, components, deal
from deepfake.errors import DataError
from deepfake.records import Split, VideoKey

people = st.sampled_from([f"p{number}" for number in range(12)])
groups = st.lists(st.lists(people, min_size=1, max_size=3), max_size=15)
sizes = st.dictionaries(st.text("abcdefgh", min_size=1), st.integers(1, 50), max_size=60)


def video(name: str, label: int, *identities: str) -> FoundVideo:
    return FoundVideo(VideoKey("d", "fake" if label else "original", name), Path(name), label, identities)


@given(groups)
def test_components_are_the_connected_people_and_nobody_else(groups: list[list[str]]) -> None:
    reached = {person: {person} for group in groups for person in group}
    for _ in reached:
        for group in groups:
            together = set().union(*(reached[person] for person in group))
            reached |= dict.fromkeys(together, together)
    assert components(groups) == {person: min(others) for person, others in reached.items()}


@given(groups, st.randoms(use_true_random=False))
def test_components_do_not_depend_on_the_order_of_the_groups(groups: list[list[str]], rng: random.Random) -> None:
    shuffled = [rng.sample(group, len(group)) for group in rng.sample(groups, len(groups))]
    assert components(shuffled) == components(groups)


@given(sizes)
def test_no_split_exceeds_its_share_by_more_than_the_largest_component(sizes: dict[str, int]) -> None:
    dealt = deal(sizes)
    assert dealt.keys() == sizes.keys()
    for split, share in SHARES.items():
        filled = sum(size for name, size in sizes.items() if dealt[name] == split)
        assert filled <= share * sum(sizes.values()) + max(sizes.values(), default=0)
    assert len(set(dealt.values())) == min(len(sizes), 3)


@given(sizes, st.randoms(use_true_random=False))
def test_a_deal_does_not_depend_on_the_order_of_the_components(sizes: dict[str, int], rng: random.Random) -> None:
    shuffled = dict(rng.sample(list(sizes.items()), len(sizes)))
    assert deal(shuffled) == deal(sizes)


def test_the_deal_is_the_same_in_every_process() -> None:
    dealt = deal({f"p{number}": 1 for number in range(10)})
    assert Counter(dealt.values()) == {"train": 7, "test": 2, "val": 1}
    assert sorted(name for name, split in dealt.items() if split != "train") == ["p1", "p5", "p8"]


def test_the_largest_component_is_for_training() -> None:
    for name in "abcd":
        assert deal(dict.fromkeys("abcd", 10) | {name: 80})[name] == "train"


@given(groups.filter(bool))
def test_nobody_is_dealt_into_two_splits(groups: list[list[str]]) -> None:
    videos = [video(str(number), len(set(group)) > 1, *group) for number, group in enumerate(groups)]
    seen = defaultdict(set)
    for its, split in zip(videos, assign_splits(videos, role="train"), strict=True):
        for identity in its.identities:
            seen[identity].add(split)
    assert all(len(splits) == 1 for splits in seen.values())


def test_every_split_gets_both_classes_where_fakes_and_reals_are_of_different_people() -> None:
    videos = [video(f"real{number}", 0, f"r{number}") for number in range(97)]
    videos += [video(f"fake{number}", 1, f"f{number}") for number in range(3)]
    splits = assign_splits(videos, role="train")
    audit(videos, splits, root=Path("root"), role="train")
    assert Counter(splits) == {"train": 68, "val": 11, "test": 21}


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (["train", "train", "val", "val", "test", "test"], None),
        (
            ["train", "train", "val", "test", "test", "test"],
            "identity b is in two splits: d/original/2 in val and d/fake/3",
        ),
        (["train", "train", "val", "val", "train", "train"], "root: split test has 0 real and 0 fake videos"),
        (["val", "val", "val", "val", "test", "test"], "root: split train has 0 real and 0 fake videos"),
    ],
)
def test_an_audit_names_what_is_wrong_with_the_splits(splits: list[Split], message: str | None) -> None:
    videos = [video(str(number), number % 2, "aabbcc"[number]) for number in range(6)]
    if message is None:
        audit(videos, splits, root=Path("root"), role="train")
        return
    with pytest.raises(DataError, match=message):
        audit(videos, splits, root=Path("root"), role="train")


def test_a_cross_dataset_needs_both_classes_in_test_only() -> None:
    videos = [video("a", 0, "x"), video("b", 1, "y")]
    splits = assign_splits(videos, role="cross")
    assert splits == ["test", "test"]
    audit(videos, splits, root=Path("root"), role="cross")
    with pytest.raises(DataError, match="split test has 1 real and 0 fake"):
        audit(videos[:1], splits[:1], root=Path("root"), role="cross")
