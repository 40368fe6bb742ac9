"""Bootstrap intervals cover the truth, respect clusters, and refuse to answer where the data cannot."""

import time

import numpy as np
import pytest

from deepfake.errors import DataError
from deepfake.metrics.bootstrap import (
    MIN_CLUSTERS,
    draw_resamples,
    effective_clusters,
    percentile_interval,
    resample,
)
from deepfake.metrics.intervals import Interval
from deepfake.metrics.ranking import Floats, Ranking, auc

NORMAL_AUC = 0.760250  # of fakes ~ N(1, 1) and reals ~ N(0, 1): Phi(1 / sqrt 2)


def toy(seed: int, clusters: int = 40, per_cluster: int = 2, shared: float = 0.0) -> tuple[Floats, Floats, list[str]]:
    """Reals and fakes of unit variance, of which `shared` is common to a cluster's items of one class."""
    generator = np.random.default_rng(seed)
    names = [f"c{number:03d}" for number in range(clusters) for _ in range(2 * per_cluster)]
    labels = np.tile(np.repeat([0.0, 1.0], per_cluster), clusters)
    common = np.repeat(generator.normal(size=2 * clusters), per_cluster)
    own = generator.normal(size=len(labels))
    return labels + np.sqrt(shared) * common + np.sqrt(1 - shared) * own, labels, names


def auc_interval(scores: Floats, labels: Floats, names: list[str], resamples: int = 400) -> Interval:
    samples = resample({"auc": auc}, Ranking(scores, labels), names, draw_resamples(names, resamples, seed=3))
    return percentile_interval(samples["auc"])


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_intervals_cover_the_truth_about_as_often_as_they_say(shared: float) -> None:
    hits = 0
    for seed in range(200):
        low, high = auc_interval(*toy(seed, per_cluster=4, shared=shared), resamples=200)
        hits += low <= NORMAL_AUC <= high
    assert 0.89 <= hits / 200 <= 0.99


def test_ignoring_shared_people_would_cover_too_rarely() -> None:
    hits = 0
    for seed in range(100):
        scores, labels, names = toy(seed, per_cluster=4, shared=0.9)
        low, high = auc_interval(scores, labels, [f"{name}{row}" for row, name in enumerate(names)], resamples=200)
        hits += low <= NORMAL_AUC <= high
    assert hits / 100 < 0.85


def test_a_resample_is_the_metric_of_the_drawn_clusters() -> None:
    scores, labels, names = toy(0, clusters=9)
    drawn = draw_resamples(names, 100, seed=5)
    samples = resample({"auc": auc}, Ranking(scores, labels), names, drawn)["auc"]
    repeats = drawn.counts[17, [drawn.index[name] for name in names]]
    again = Ranking(np.repeat(scores, repeats), np.repeat(labels, repeats)).roc()
    assert samples[17] == pytest.approx(float(auc(again)), abs=1e-12)


def test_every_resample_draws_as_many_clusters_as_there_are() -> None:
    assert set(draw_resamples(map(str, range(23)), 300, seed=0).counts.sum(axis=1)) == {23}


def test_resamples_depend_on_names_and_not_on_their_order() -> None:
    names = [f"id{number}" for number in range(12)]
    first, second = draw_resamples(names, 50, seed=2), draw_resamples(names[::-1] * 3, 50, seed=2)
    assert first.index == second.index
    assert np.array_equal(first.counts, second.counts)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, labels, names = toy(1)
    whole = auc_interval(scores, labels, names)
    monkeypatch.setattr("deepfake.metrics.bootstrap._CHUNK_CELLS", 1000)
    assert auc_interval(scores, labels, names) == whole


def test_a_paired_difference_is_narrower_than_two_unpaired_intervals() -> None:
    scores, labels, names = toy(2)
    worse = scores + np.random.default_rng(9).normal(scale=0.2, size=len(scores))
    drawn = draw_resamples(names, 500, seed=1)
    first, second = (resample({"auc": auc}, Ranking(what, labels), names, drawn)["auc"] for what in (scores, worse))
    paired, (low, high) = percentile_interval(first - second), percentile_interval(first)
    assert paired.high - paired.low < 0.5 * (high - low)


def test_resamples_that_nearly_all_agree_give_no_interval() -> None:
    for odd in (0, 1):  # of a thousand
        samples = np.zeros(1000)
        samples[:odd] = 1.0
        assert np.isnan(percentile_interval(samples)).all()
    samples[:100] = 1.0
    assert percentile_interval(samples) == Interval(0.0, 1.0)


def test_few_people_give_no_interval() -> None:
    enough = auc_interval(*toy(0, clusters=MIN_CLUSTERS))
    too_few = auc_interval(*toy(0, clusters=MIN_CLUSTERS - 1, per_cluster=50))
    assert np.isfinite(enough).all()
    assert np.isnan(too_few).all()


def test_one_cluster_that_holds_nearly_all_fakes_gives_no_interval() -> None:
    scores, labels, names = toy(0, clusters=40)
    merged = ["everybody" if label == 1 else name for label, name in zip(labels, names, strict=True)]
    assert np.isnan(auc_interval(scores, labels, merged)).all()


def test_effective_clusters_counts_equal_ones_and_sees_through_unequal_ones() -> None:
    assert effective_clusters(list("aabbccdd")) == pytest.approx(4)
    assert effective_clusters(["a"] * 99 + ["b"]) == pytest.approx(1.02, abs=0.01)


def test_resamples_without_a_class_are_left_out() -> None:
    samples = np.append(np.linspace(0, 1, 41), [np.nan] * 40)
    assert percentile_interval(samples) == pytest.approx(Interval(0.025, 0.975))
    assert np.isnan(percentile_interval(np.append(samples, [np.nan] * 2))).all()


def test_a_perfect_score_has_no_interval_because_resampling_cannot_doubt_it() -> None:
    scores, labels, names = toy(0)
    assert np.isnan(auc_interval(scores + 100 * labels, labels, names)).all()


def test_an_unknown_cluster_is_refused() -> None:
    scores, labels, names = toy(0)
    with pytest.raises(DataError, match="c000"):
        resample({"auc": auc}, Ranking(scores, labels), names, draw_resamples(names[4:], 100, seed=0))


def test_a_thousand_resamples_of_two_thousand_frames_take_under_two_cpu_seconds() -> None:
    scores, labels, names = toy(0, clusters=100, per_cluster=10)
    started = time.process_time()
    auc_interval(scores, labels, names, resamples=1000)
    assert time.process_time() - started < 2.0
