"""Ranking metrics agree with scikit-learn, with counting by hand, and with repeating the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from deepfake.errors import DataError
from deepfake.metrics.ranking import Floats, Ranking, auc, average_precision, partial_auc, roc_auc


@st.composite
def scored(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Scores with many ties and labels of both classes."""
    labels = draw(
        st.lists(st.integers(0, 1), min_size=2, max_size=60).filter(lambda drawn: 0 < sum(drawn) < len(drawn))
    )
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(labels), max_size=len(labels)))
    return np.array(scores, dtype=float), np.array(labels, dtype=float)


@given(scored())
def test_auc_is_scikit_learns_with_ties(data: tuple[Floats, Floats]) -> None:
    scores, labels = data
    assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(scored())
def test_auc_counts_pairs_and_half_of_the_ties(data: tuple[Floats, Floats]) -> None:
    scores, labels = data
    lead = scores[labels == 1][:, np.newaxis] - scores[labels == 0]
    assert roc_auc(scores, labels) == pytest.approx(np.mean((lead > 0) + 0.5 * (lead == 0)), abs=1e-12)


@given(scored())
def test_average_precision_is_scikit_learns_with_ties(data: tuple[Floats, Floats]) -> None:
    scores, labels = data
    expected = average_precision_score(labels, scores)
    assert float(average_precision(Ranking(scores, labels).roc())) == pytest.approx(expected, abs=1e-12)


@given(scored(), st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.99]))
def test_partial_auc_is_scikit_learns_before_its_rescaling(data: tuple[Floats, Floats], max_fpr: float) -> None:
    scores, labels = data
    rescaled = roc_auc_score(labels, scores, max_fpr=max_fpr)
    chance, best = max_fpr**2 / 2, max_fpr
    expected = (chance + (2 * rescaled - 1) * (best - chance)) / max_fpr
    assert float(partial_auc(Ranking(scores, labels).roc(), max_fpr)) == pytest.approx(expected, abs=1e-9)


def test_partial_auc_up_to_one_is_the_auc() -> None:
    generator = np.random.default_rng(0)
    roc = Ranking(generator.normal(size=99), generator.integers(0, 2, 99)).roc()
    assert float(partial_auc(roc, 1.0)) == pytest.approx(float(auc(roc)), abs=1e-12)


@given(scored(), st.data())
def test_weights_are_repetitions(data: tuple[Floats, Floats], choice: st.DataObject) -> None:
    scores, labels = data
    size = len(scores)
    weights = np.array([choice.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)) for _ in range(3)])
    curves = Ranking(scores, labels).roc(weights)
    for row, repeats in enumerate(weights):
        repeated_scores, repeated_labels = np.repeat(scores, repeats), np.repeat(labels, repeats)
        for statistic in (auc, average_precision):
            value = statistic(curves)[row]
            if len(set(repeated_labels.tolist())) < 2:
                assert np.isnan(value)
            else:
                expected = float(statistic(Ranking(repeated_scores, repeated_labels).roc()))
                assert value == pytest.approx(expected, abs=1e-12)


@given(scored())
def test_swapping_the_classes_mirrors_the_auc(data: tuple[Floats, Floats]) -> None:
    scores, labels = data
    assert roc_auc(-scores, labels) == pytest.approx(1 - roc_auc(scores, labels), abs=1e-12)


def test_equally_scored_classes_are_chance() -> None:
    assert roc_auc([3.0, 3.0, 3.0, 3.0], [0, 1, 0, 1]) == 0.5


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 0, 0]])
def test_one_class_has_no_auc(labels: list[int]) -> None:
    with pytest.raises(DataError, match="both classes"):
        roc_auc([0.1, 0.2, 0.3], labels)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match="1 of 3 scores are not finite"):
        roc_auc([0.1, bad, 0.3], [0, 1, 1])


def test_labels_other_than_zero_and_one_are_refused() -> None:
    with pytest.raises(DataError, match="0 for real and 1 for fake"):
        roc_auc([0.1, 0.2], [-1, 1])


def test_scores_without_a_label_are_refused() -> None:
    with pytest.raises(DataError, match="one label for each score"):
        roc_auc([0.1, 0.2, 0.3], [0, 1])
