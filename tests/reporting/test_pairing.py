"""Robust minus another is a paired bootstrap, the worst case a minimum by frame, the eps curve an AUC by budget."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepfake.errors import DataError
from deepfake.metrics.bootstrap import percentile_interval
from deepfake.metrics.operating_point import tpr_at_fpr
from deepfake.metrics.ranking import Ranking, roc_auc
from deepfake.params import Params
from deepfake.records import FaceVideo
from deepfake.reporting.conditions import WORST, headline_conditions, parse_condition, with_worst_case
from deepfake.reporting.eps_curve import eps_points
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.matrix import Estimate, role_resamples
from deepfake.reporting.pairing import Pair, pair_means, pair_models, write_pairs
from deepfake.reporting.scores import ScoreSet, select

_NUMBERS = ("before", "robust", "difference", "low", "high")


def items(*logits: float) -> Items:
    """A real and two fakes, one frame each."""
    names = ("youtube/1", "Deepfakes/1", "Deepfakes/2")
    videos = [
        FaceVideo(f"ffpp/{name}", "", "video", int("Deep" in name), "test", "c", "", "", 1, 1, 1, "") for name in names
    ]
    return Items(names, tuple(videos), np.array(logits))


def test_the_worst_case_is_the_lowest_logit_of_fakes_and_leaves_reals_alone() -> None:
    frames = {
        "clean": items(-1.0, 4.0, -5.0),
        "jpeg50": items(-1.5, 3.0, 2.0),
        "pgd": items(-9.0, 1.0, 6.0),
        "unet": items(9.0, 2.0, 7.0),
        "unet_jpeg50": items(8.0, 5.0, 1.0),
        "pgd_both": items(0.0, -99.0, -99.0),
        "unet_h264_crf23": items(0.0, -99.0, -99.0),
        "adaptive_jpeg50": items(7.0, 0.5, 9.0),
        "square": items(7.0, 4.0, 4.0),
    }
    derived = with_worst_case(frames)
    assert list(derived) == [*frames, "worst", "worst_jpeg50"]
    assert derived["worst"].scores.tolist() == [-1.0, 1.0, -5.0]
    assert derived["worst_jpeg50"].scores.tolist() == [-1.5, 0.5, 1.0]


def test_without_an_attack_there_is_no_worst_case() -> None:
    frames = {"clean": items(0.0, 1.0, 2.0), "jpeg50": items(0.0, 1.0, 2.0), "pgd_both": items(0.0, 1.0, 2.0)}
    assert with_worst_case(frames) == frames


def test_the_worst_case_of_a_video_is_the_mean_of_its_worst_frames(score_sets: list[ScoreSet]) -> None:
    frames = score_sets[2].frames
    fakes = frames["clean"].labels == 1
    lowest = np.minimum.reduce([frames[name].scores for name in ("clean", "pgd", "apgd", "unet")])
    expected = Items(frames["clean"].names, frames["clean"].videos, np.where(fakes, lowest, frames["clean"].scores))
    assert np.array_equal(select(score_sets[2], "worst", "video").scores, to_videos(expected).scores)


def test_conditions_are_taken_apart_and_grouped() -> None:
    groups = {
        "clean": "compression",
        "h264_crf40": "compression",
        "unet": "attacks",
        "pgd_strong": "attacks",
        "pgd_jpeg50": "attacks, then compression",
        "adaptive_jpeg50": "attacks, then compression",
        "worst_jpeg50": "worst case",
        "pgd_both_jpeg50": "both classes attacked",
    }
    assert {name: parse_condition(name).group for name in groups} == groups


def test_an_attack_is_told_from_one_whose_name_goes_on() -> None:
    parts = [parse_condition(name) for name in ("pgd_strong", "pgd_jpeg50", "pgd_strong_jpeg50")]
    assert [(each.attack, each.codec) for each in parts] == [
        ("pgd_strong", ""), ("pgd", "jpeg50"), ("pgd_strong", "jpeg50")
    ]  # fmt: skip


def test_the_summary_takes_the_first_codec_of_each_kind() -> None:
    names = ["clean", "worst", "unet", "unet_jpeg30", "unet_jpeg90", "unet_both_h264_crf23", "unet_h264_crf40"]
    assert headline_conditions(names) == ["clean", "unet_jpeg30", "unet_h264_crf40", "worst"]
    assert headline_conditions(["clean", "jpeg50"]) == ["clean"]


def pair_of(pairs: list[Pair], role: str, condition: str, metric: str) -> Pair:
    return next(pair for pair in pairs if (pair.role, pair.condition, pair.metric) == (role, condition, metric))


def test_a_difference_is_resampled_in_pairs(pairs: list[Pair], score_sets: list[ScoreSet], params: Params) -> None:
    """Against the plainest bootstrap there is: write every drawn video down as often as it was drawn."""
    pair = pair_of(pairs, "train", "unet_jpeg50", "auc")
    both = [select(scores, "unet_jpeg50", "video") for scores in (score_sets[0], score_sets[2])]
    before, after = (roc_auc(shown.scores, shown.labels) for shown in both)
    assert pair.difference.value == pytest.approx(after - before)
    resamples = role_resamples(score_sets[0], params.report, params.seed)
    columns = [resamples.index[cluster] for cluster in both[0].clusters]
    differences = []
    for counts in resamples.counts:
        drawn = np.repeat(np.arange(len(columns)), counts[columns])
        old, new = (roc_auc(shown.scores[drawn], shown.labels[drawn]) for shown in both)
        differences.append(new - old)
    assert pair.difference[1:] == pytest.approx(percentile_interval(np.array(differences)))
    assert pair.verdict == "better"


def test_the_mean_over_trainings_resamples_the_same_people_for_each(score_sets: list[ScoreSet], params: Params) -> None:
    both = [scores for scores in score_sets if scores.role == "train"]
    swapped = [replace(both[1], model="baseline"), replace(both[0], model="robust")]
    alone = pair_models(both, params.report, params.seed)
    for pair, one in zip(pair_means([both, both], params.report, params.seed), alone, strict=True):
        assert (pair.condition, pair.metric, pair.before) == (one.condition, one.metric, one.before)
        assert pair.difference == pytest.approx(one.difference, nan_ok=True)
    for pair in pair_means([both, swapped], params.report, params.seed):
        assert pair.before == pytest.approx(pair.robust)
        assert np.isnan(pair.difference.low), "what one training gains the other loses, on every resample"


def test_the_mean_is_over_what_all_trainings_were_scored_under(score_sets: list[ScoreSet], params: Params) -> None:
    both = [scores for scores in score_sets if scores.role == "train"]
    fewer = [replace(scores, frames={"clean": scores.frames["clean"]}) for scores in both]
    means = pair_means([both, fewer], params.report, params.seed)
    assert {pair.condition for pair in means if not pair.condition.startswith("worst_eps")} == {"clean"}


def test_trainings_that_saw_different_videos_have_no_mean(score_sets: list[ScoreSet], params: Params) -> None:
    both = [scores for scores in score_sets if scores.role == "train"]
    clean = [scores.frames["clean"] for scores in both]
    fewer = [
        replace(
            scores, frames={"clean": Items(items.names[8:], items.videos[8:], items.scores[8:])}, eps_curve={WORST: {}}
        )
        for scores, items in zip(both, clean, strict=True)
    ]
    with pytest.raises(DataError, match="two trainings were scored on different videos"):
        pair_means([both, fewer], params.report, params.seed)


def test_identical_models_differ_by_exactly_nothing(score_sets: list[ScoreSet], params: Params) -> None:
    twins = [score_sets[0], replace(score_sets[0], model="robust")]
    pairs = pair_models(twins, params.report, params.seed)
    budgets = {"worst_eps1", "worst_eps2", "worst_eps4", "worst_eps8"}
    assert {pair.condition for pair in pairs} == set(score_sets[0].frames) | budgets
    for pair in pairs:
        assert pair.difference.value == 0
        assert np.isnan(pair.difference.low)
        assert pair.verdict == "equal"


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (Estimate(0.1, 0.01, 0.2), "better"),
        (Estimate(-0.1, -0.2, -0.01), "worse"),
        (Estimate(0.1, 0.0, 0.2), "not distinguishable"),
        (Estimate(0.1), "no interval"),
        (Estimate(0.0), "equal"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(difference: Estimate, verdict: str) -> None:
    assert Pair("train", "clean", "auc", "baseline", 0.5, 0.6, difference).verdict == verdict


def test_one_model_alone_has_no_pairs(score_sets: list[ScoreSet], params: Params) -> None:
    assert pair_models(score_sets[:2], params.report, params.seed) == []


def test_models_that_saw_different_videos_are_not_compared(score_sets: list[ScoreSet], params: Params) -> None:
    clean = score_sets[2].frames["clean"]
    fewer = Items(clean.names[8:], clean.videos[8:], clean.scores[8:])
    with pytest.raises(DataError, match="different videos"):
        pair_models([score_sets[0], replace(score_sets[2], frames={"clean": fewer})], params.report, params.seed)


def test_the_table_of_differences_has_empty_cells_where_undefined(pairs: list[Pair], tmp_path: Path) -> None:
    write_pairs(tmp_path / "comparison.csv", pairs)
    with (tmp_path / "comparison.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(pairs)
    assert list(table[0]) == ["role", "condition", "metric", "reference", *_NUMBERS]
    assert "nan" not in (tmp_path / "comparison.csv").read_text()
    assert float(table[0]["difference"]) == pytest.approx(pairs[0].difference.value, abs=1e-6)


def test_the_eps_curve_starts_clean_falls_and_has_bounds(score_sets: list[ScoreSet], params: Params) -> None:
    points = eps_points(score_sets[2], params.report, params.seed)
    assert [point.eps_255 for point in points] == [0, 1, 2, 4, 8]
    aucs = [point.auc for point in points]
    assert aucs == sorted(aucs, reverse=True)
    assert aucs[0] > 0.9
    assert all(float(point.low) <= point.auc <= float(point.high) for point in points)
    assert all(float(point.tpr_low) <= point.tpr <= float(point.tpr_high) for point in points)
    assert points[0].tpr > points[-1].tpr


def test_the_eps_curve_ranks_the_mean_of_a_videos_frames(score_sets: list[ScoreSet], params: Params) -> None:
    shown = score_sets[0].frames["unet"]  # four frames of each video
    curve = {"pgd": {0.1: score_sets[0].frames["clean"]}, "worst": {0.1: shown}}
    (point,) = eps_points(replace(score_sets[0], eps_curve=curve), params.report, params.seed)
    videos = select(score_sets[0], "unet", "video")
    assert point.auc == pytest.approx(roc_auc(videos.scores, videos.labels), abs=1e-6)
    assert point.eps_255 == 25.5
    assert point.tpr == pytest.approx(float(tpr_at_fpr(Ranking(videos.scores, videos.labels).roc(), 0.01)), abs=1e-6)
    clean = select(score_sets[0], "clean", "video")
    assert point.pgd_auc == pytest.approx(roc_auc(clean.scores, clean.labels), abs=1e-6)


def test_a_difference_that_touches_zero_as_it_is_told_is_none() -> None:
    touching, clear = (Estimate(-0.1, -0.2, high) for high in (-0.0004, -0.0006))
    pair = Pair("train", "clean", "auc", "baseline", 0.7, 0.6, touching)
    assert pair.verdict == "not distinguishable"
    assert replace(pair, difference=clear).verdict == "worse"


def test_a_budget_has_the_paired_difference_of_its_worst_cases(
    pairs: list[Pair], score_sets: list[ScoreSet], params: Params
) -> None:
    pair = pair_of(pairs, "train", "worst_eps2", "auc")
    before, after = (eps_points(score_sets[number], params.report, params.seed)[2] for number in (0, 2))
    assert (before.eps_255, after.eps_255) == (2, 2)
    assert (pair.before, pair.robust) == pytest.approx((before.auc, after.auc), abs=1e-6)
    assert pair.difference.low < pair.difference.value < pair.difference.high
    assert pair.verdict == "better"


def test_the_control_is_compared_as_the_baseline_is(
    pairs: list[Pair], with_control: list[ScoreSet], params: Params
) -> None:
    """Each reference has every condition on the same resamples: another one beside it changes nothing."""
    baseline, longer, robust = (scores for scores in with_control if scores.role == "train")
    found = pair_models([baseline, longer, robust], params.report, params.seed)
    expected = [pair for pair in pairs if pair.role == "train"]
    renamed = pair_models([replace(longer, model="baseline"), robust], params.report, params.seed)
    expected += [replace(pair, reference="longer") for pair in renamed]
    assert len(expected) > 100
    for pair, other in zip(found, expected, strict=True):
        assert pair.difference == pytest.approx(other.difference, nan_ok=True)
        assert replace(pair, difference=other.difference) == other
    assert pair_models([baseline, longer], params.report, params.seed) == []
