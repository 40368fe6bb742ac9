"""Coverage, false alarms by group, trivial predictors and curves count what is there."""

from dataclasses import replace

import numpy as np
import pytest

from deepfake.metrics.intervals import Interval
from deepfake.metrics.ranking import roc_auc
from deepfake.params import Params
from deepfake.records import FaceVideo
from deepfake.reporting.coverage import FalseAlarmRow, coverage_rows, false_alarm_rows, told_apart
from deepfake.reporting.curves import reliability_points, roc_corners
from deepfake.reporting.items import Items
from deepfake.reporting.scores import ScoreSet, select
from deepfake.reporting.trivial import TrivialRow, trivial_rows


def with_videos(scores: ScoreSet, change: dict[str, dict[str, object]], default: dict[str, object]) -> ScoreSet:
    """The score set with some fields of its videos replaced."""

    def changed(video: FaceVideo) -> FaceVideo:
        return replace(video, **change.get(video.video, default))  # type: ignore[arg-type]

    def items(old: Items) -> Items:
        return Items(old.names, tuple(changed(video) for video in old.videos), old.scores)

    frames = {name: items(old) for name, old in scores.frames.items()}
    return replace(
        scores, videos=tuple(map(changed, scores.videos)), frames=frames, faceless=items(scores.faceless)
    )  # fmt: skip


def test_coverage_counts_every_split_and_class_once(score_sets: list[ScoreSet]) -> None:
    rows = coverage_rows(score_sets[0])
    assert [(row.split, row.label) for row in rows] == [("val", 0), ("val", 1), ("test", 0), ("test", 1)]
    assert sum(row.videos for row in rows) == len(score_sets[0].videos)
    assert not any(row.faceless or row.reasons for row in rows)


def test_faceless_videos_are_counted_with_their_reason(score_sets: list[ScoreSet]) -> None:
    reals, fakes = coverage_rows(score_sets[1])
    assert (reals.videos, reals.faceless, fakes.videos, fakes.faceless) == (70, 1, 50, 2)
    assert fakes.reasons == (("no face found", 2),)
    assert fakes.frames_wanted - fakes.frames_found == 8


def test_partly_found_videos_and_unstated_reasons_are_counted_too(score_sets: list[ScoreSet]) -> None:
    name = score_sets[1].test_videos[0].video
    changed = with_videos(score_sets[1], {name: {"frames_found": 3}}, {})
    assert coverage_rows(changed)[0].reasons == (("no face found", 1), ("not stated", 1))
    assert coverage_rows(changed)[0].faceless == 1


def test_false_alarms_of_the_groups_add_up_to_those_of_all_reals(score_sets: list[ScoreSet]) -> None:
    items = select(score_sets[1], "clean", "video")
    reals = items.scores[items.labels == 0]
    called = int(np.sum(reals >= score_sets[1].calibration.video_threshold))
    assert called > 0
    rows = false_alarm_rows(score_sets[1])
    for trait in ("skin tone", "light"):
        own = [row for row in rows if row.trait == trait]
        assert sum(row.reals for row in own) == len(reals)
        assert sum(row.false_positives for row in own) == called
        assert all(row.interval.low <= row.false_positives / row.reals <= row.interval.high for row in own)


def test_groups_are_told_apart_where_their_intervals_do_not_meet() -> None:
    def row(trait: str, group: str, low: float, high: float) -> FalseAlarmRow:
        return FalseAlarmRow("robust", "train", trait, group, 30, 1, Interval(low, high))

    dim, side, front = row("light", "dim", 0.0, 0.2), row("light", "side", 0.1, 0.4), row("light", "front", 0.3, 0.6)
    dark = row("skin tone", "V-VI", 0.7, 0.9)
    assert told_apart([dim, side, front, dark]) == [(dim, front)]


def test_a_dataset_that_states_no_groups_has_no_rows(score_sets: list[ScoreSet]) -> None:
    assert false_alarm_rows(with_videos(score_sets[0], {}, {"skin_tone": "", "light": ""})) == []


def row_named(rows: list[TrivialRow], name: str) -> TrivialRow:
    return next(row for row in rows if row.name == name)


@pytest.mark.parametrize("share_spared", [3, 1000])
def test_a_partial_or_perfect_leak_in_the_file_size_is_seen_in_either_direction(
    score_sets: list[ScoreSet], params: Params, share_spared: int
) -> None:
    for sign in (1, -1):
        sizes = {video.video: 50_000 + sign * 9_000 * video.label for video in score_sets[0].videos}
        some: dict[str, dict[str, object]] = {}
        some |= {name: {"size_bytes": size} for row, (name, size) in enumerate(sizes.items()) if row % share_spared}
        leaking = with_videos(score_sets[0], some, {"size_bytes": 50_000})
        row = row_named(trivial_rows([leaking], params.report, params.seed), "file_size")
        assert not row.is_chance
        assert (row.auc.value - 0.5) * sign > 0.1


def test_predictors_that_know_nothing_include_one_half(score_sets: list[ScoreSet], params: Params) -> None:
    rows = trivial_rows(score_sets, params.report, params.seed)
    assert len(rows) == 8
    assert all(row.is_chance for row in rows)
    faceless = select(replace(score_sets[0], frames={"clean": score_sets[0].faceless}), "clean", "video")
    assert row_named(rows, "face_masked").auc.value == pytest.approx(roc_auc(faceless.scores, faceless.labels))


def test_corners_of_the_roc_curve_keep_its_area(score_sets: list[ScoreSet]) -> None:
    for condition in score_sets[1].frames:
        items = select(score_sets[1], condition, "video")
        fpr, tpr = roc_corners(score_sets[1], condition).T
        assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc(items.scores, items.labels), abs=1e-5)
        assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
        assert len(fpr) < len(items.scores)


def test_reliability_points_stand_for_all_scored_videos(score_sets: list[ScoreSet]) -> None:
    points = reliability_points(score_sets[1])
    assert sum(point.videos for point in points) == 117
    assert sum(point.weight for point in points) == pytest.approx(1, abs=1e-5)
