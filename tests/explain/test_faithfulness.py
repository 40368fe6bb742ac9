"""The numbers of a map, on maps whose numbers are known; none of them warns or fails on an empty map."""

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from deepfake.explain.faithfulness import breadth_score, overlap_score, road_score, stability_score

SIZE = 20
EMPTY = np.zeros((SIZE, SIZE))
UNIFORM = np.full((SIZE, SIZE), 0.3)


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def blob(y: int = 6, x: int = 13) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 20)


def picture() -> np.ndarray:
    return (0.2 + 0.7 * blob())[..., None].repeat(3, axis=-1)


def brightness_of_blob(pictures: np.ndarray) -> np.ndarray:
    return 10 * (pictures.mean(axis=-1) * blob()).mean(axis=(1, 2))


def test_removing_what_a_linear_model_looks_at_first_scores_higher_than_the_reverse() -> None:
    true = road_score(brightness_of_blob, picture(), blob() * picture()[..., 0], seed=1)
    reverse = road_score(brightness_of_blob, picture(), -blob() * picture()[..., 0], seed=1)
    elsewhere = road_score(brightness_of_blob, picture(), blob(15, 3), seed=1)
    assert true > 0.1
    assert reverse == pytest.approx(-true, abs=0.02)
    assert true > elsewhere


def test_a_constant_logit_scores_nothing() -> None:
    assert road_score(lambda pictures: np.full(len(pictures), 3.0), picture(), blob(), seed=1) == 0


def test_roads_answer_depends_on_its_seed_and_not_on_the_scale_of_the_map() -> None:
    first = road_score(brightness_of_blob, picture(), blob(), seed=1)
    assert first == road_score(brightness_of_blob, picture(), 7 * blob(), seed=1)
    assert first != road_score(brightness_of_blob, picture(), blob(), seed=2)


def test_pixels_of_equal_relevance_are_removed_all_over_the_picture() -> None:
    seen: list[np.ndarray] = []

    def watch(pictures: np.ndarray) -> np.ndarray:
        seen.extend(pictures)
        return np.zeros(len(pictures))

    one = np.zeros((SIZE, SIZE))
    one[0, 0] = 1  # all others are equal
    noise = np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)
    road_score(watch, noise, one, seed=1)
    assert seen
    for picture in seen:
        places = np.argwhere((picture != noise).any(axis=-1))
        assert np.abs(places.mean(axis=0) - (SIZE - 1) / 2).max() < 4  # in order of place 5 and more


@pytest.mark.parametrize("relevance", [EMPTY, UNIFORM])
def test_a_map_that_ranks_no_pixel_has_no_faithfulness_and_no_stability(relevance: np.ndarray) -> None:
    assert math.isnan(road_score(brightness_of_blob, picture(), relevance, seed=1))
    assert math.isnan(stability_score(relevance, blob()))
    assert math.isnan(stability_score(blob(), relevance))


def test_a_uniform_map_is_as_broad_as_the_share_it_is_asked_to_hold() -> None:
    assert breadth_score(UNIFORM) == pytest.approx(0.8)
    assert breadth_score(np.full(10, 1e-7, dtype=np.float32)) == pytest.approx(0.8)


def test_breadth_counts_the_fewest_pixels_that_hold_the_share() -> None:
    assert breadth_score(np.array([0, 0, 9.0, 0])) == 1 / 4
    assert breadth_score(np.array([1, 5.0, 1, 3])) == 2 / 4  # 5 + 3 of 10
    assert breadth_score(np.array([2, 5.0, 1, 2])) == 3 / 4  # 5 + 2 is too little
    assert breadth_score(np.array([[4, 0], [4, 0]])) == breadth_score(np.array([[1, 1], [0, 0]]))


def test_a_uniform_map_overlaps_a_region_by_chance() -> None:
    region = blob() > 0.5
    assert overlap_score(UNIFORM, region) == pytest.approx(1)


def test_a_map_on_the_region_alone_overlaps_by_the_inverse_of_its_share() -> None:
    region = blob() > 0.5
    assert overlap_score(np.where(region, blob(), 0), region) == pytest.approx(1 / region.mean())
    assert overlap_score(np.where(region, 0, blob()), region) == 0


def test_there_is_no_overlap_where_no_region_is_known_or_nothing_was_forged() -> None:
    assert math.isnan(overlap_score(blob(), None))
    assert math.isnan(overlap_score(blob(), np.zeros((SIZE, SIZE), dtype=bool)))


def test_an_empty_map_and_an_empty_region_have_neither_breadth_nor_overlap() -> None:
    assert math.isnan(breadth_score(EMPTY))
    assert math.isnan(breadth_score(np.empty((0, 4))))
    assert math.isnan(overlap_score(EMPTY, blob() > 0.5))


def test_stability_is_the_correlation_of_ranks() -> None:
    relevance = np.arange(9.0).reshape(3, 3)
    assert stability_score(relevance, relevance) == pytest.approx(1)
    assert stability_score(np.exp(relevance), relevance) == pytest.approx(1)
    assert stability_score(-relevance, relevance) == pytest.approx(-1)
    assert stability_score(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3])) == pytest.approx(0.8)  # 1 - 6·2 / (4·15)
