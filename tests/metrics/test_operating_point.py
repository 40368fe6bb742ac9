"""Thresholds keep their promise, and rates at a threshold are counted right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_curve

from deepfake.errors import DataError
from deepfake.metrics.operating_point import (
    accuracy_at,
    balanced_accuracy_at,
    equal_error_rate,
    fpr_at,
    threshold_at_fpr,
    tpr_at,
    tpr_at_fpr,
)
from deepfake.metrics.ranking import Floats, Ranking

SEEDS = st.integers(0, 2**32 - 1)
RATES = st.sampled_from([0.0, 0.01, 0.07, 0.1, 0.29, 0.5])


def tied(seed: int) -> tuple[Floats, Floats]:
    """Scores with many ties and labels of both classes."""
    generator = np.random.default_rng(seed)
    labels = np.append(generator.integers(0, 2, size=generator.integers(1, 60)), [0, 1])
    return generator.integers(-4, 5, size=len(labels)).astype(float), labels.astype(float)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=250), RATES)
def test_threshold_keeps_the_rate_and_is_the_smallest_that_does(drawn: list[int], max_fpr: float) -> None:
    scores = np.array(drawn, dtype=float)
    threshold = threshold_at_fpr(scores, max_fpr)
    allowed = max_fpr * len(scores) + 1e-9
    assert np.sum(scores >= threshold) <= allowed
    assert np.sum(scores >= np.nextafter(threshold, -np.inf)) > allowed


def test_one_percent_of_a_hundred_reals_is_one_real() -> None:
    scores = np.arange(100.0)
    assert np.sum(scores >= threshold_at_fpr(scores, 0.01)) == 1
    assert np.sum(scores[1:] >= threshold_at_fpr(scores[1:], 0.01)) == 0


def test_a_rate_that_floats_cannot_hold_still_means_a_whole_number_of_reals() -> None:
    scores = np.arange(100.0)
    assert np.sum(scores >= threshold_at_fpr(scores, 0.29)) == 29


@pytest.mark.parametrize("scores", [[], [0.0, np.nan]])
def test_no_threshold_without_finite_scores(scores: list[float]) -> None:
    with pytest.raises(DataError, match="finite scores of reals"):
        threshold_at_fpr(scores, 0.01)


@given(SEEDS, RATES)
def test_tpr_at_fpr_is_the_best_of_all_thresholds_that_keep_the_rate(seed: int, max_fpr: float) -> None:
    scores, labels = tied(seed)
    reals, fakes = scores[labels == 0], scores[labels == 1]
    best = 0.0
    for threshold in [*scores, np.inf]:
        if np.sum(reals >= threshold) <= max_fpr * len(reals) + 1e-9:
            best = max(best, float(np.mean(fakes >= threshold)))
    assert float(tpr_at_fpr(Ranking(scores, labels).roc(), max_fpr)) == pytest.approx(best, abs=1e-12)


def test_with_fewer_than_a_hundred_reals_one_percent_allows_none() -> None:
    scores, labels = [5.0, 4.0, 3.0, 2.0, 1.0], [1, 0, 1, 1, 0]
    assert float(tpr_at_fpr(Ranking(scores, labels).roc(), 0.01)) == pytest.approx(1 / 3)


@given(SEEDS, st.sampled_from([-9.0, -1.0, 0.0, 0.5, 2.0, 9.0]))
def test_accuracies_are_scikit_learns(seed: int, threshold: float) -> None:
    scores, labels = tied(seed)
    roc, called = Ranking(scores, labels).roc(), scores >= threshold
    assert float(accuracy_at(roc, threshold)) == pytest.approx(accuracy_score(labels, called), abs=1e-12)
    balanced = balanced_accuracy_score(labels, called)
    assert float(balanced_accuracy_at(roc, threshold)) == pytest.approx(balanced, abs=1e-12)
    assert float(tpr_at(roc, threshold)) == pytest.approx(np.mean(called[labels == 1]), abs=1e-12)
    assert float(fpr_at(roc, threshold)) == pytest.approx(np.mean(called[labels == 0]), abs=1e-12)


@given(SEEDS)
def test_equal_error_rate_is_where_scikit_learns_curve_crosses_the_diagonal(seed: int) -> None:
    scores, labels = tied(seed)
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    rate = float(equal_error_rate(Ranking(scores, labels).roc()))
    left, right = np.interp(rate, fpr[::-1], tpr[::-1]), np.interp(rate, fpr, tpr)
    assert min(left, right) - 1e-9 <= 1 - rate <= max(left, right) + 1e-9


def test_equal_error_rate_of_known_cases() -> None:
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    cases = {0.0: [1, 2, 3, 4, 5, 6, 7, 8], 0.25: [1, 2, 3, 6, 4, 7, 8, 9], 0.5: [1] * 8, 1.0: [5, 6, 7, 8, 1, 2, 3, 4]}
    for rate, scores in cases.items():
        assert float(equal_error_rate(Ranking(scores, labels).roc())) == pytest.approx(rate, abs=1e-12)


@given(SEEDS)
def test_rates_of_weightings_are_those_of_the_repeated_data(seed: int) -> None:
    scores, labels = tied(seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=(2, len(scores)))
    curves = Ranking(scores, labels).roc(weights)
    statistics = [equal_error_rate, lambda roc: tpr_at_fpr(roc, 0.1), lambda roc: accuracy_at(roc, 1.0)]
    for row, repeats in enumerate(weights):
        repeated = np.repeat(labels, repeats)
        for statistic in statistics:
            value = statistic(curves)[row]
            if len(set(repeated.tolist())) < 2:
                assert np.isnan(value)
            else:
                roc = Ranking(np.repeat(scores, repeats), repeated).roc()
                assert value == pytest.approx(float(statistic(roc)), abs=1e-12)
