"""The matrix of metrics holds what the stored scores say."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from deepfake.metrics.bootstrap import percentile_interval, resample
from deepfake.metrics.ranking import Ranking, auc
from deepfake.params import Params
from deepfake.reporting.items import Items
from deepfake.reporting.matrix import MetricRow, build_matrix, role_resamples, write_matrix
from deepfake.reporting.scores import ScoreSet, select


def row_of(rows: list[MetricRow], role: str, level: str, condition: str, method: str = "all") -> MetricRow:
    key = ("baseline", role, level, condition, method)
    found = [row for row in rows if (row.model, row.role, row.level, row.condition, row.method) == key]
    assert len(found) == 1
    return found[0]


def read_raw(folder: Path, condition: str) -> tuple[list[int], list[float]]:
    """Labels and video scores of test videos, straight from the files."""
    with (folder / "videos.csv").open() as file:
        videos = {row["video"]: row for row in csv.DictReader(file) if row["split"] == "test"}
    logits: dict[str, list[float]] = {}
    with (folder / "frames.csv").open() as file:
        for row in csv.DictReader(file):
            if row["condition"] == condition and row["video"] in videos:
                logits.setdefault(row["video"], []).append(float(row["logit"]))
    return [int(videos[name]["label"]) for name in logits], [sum(own) / len(own) for own in logits.values()]


@pytest.mark.parametrize("condition", ["clean", "h264_crf40"])
def test_video_metrics_are_those_of_the_files(
    rows: list[MetricRow], score_root: Path, score_sets: list[ScoreSet], condition: str
) -> None:
    labels, scores = read_raw(score_root / "baseline_cross", condition)
    row = row_of(rows, "cross", "video", condition)
    called = np.array(scores) >= score_sets[1].calibration.video_threshold
    assert row.estimates["auc"].value == pytest.approx(roc_auc_score(labels, scores))
    assert row.estimates["average_precision"].value == pytest.approx(average_precision_score(labels, scores))
    assert row.estimates["balanced_accuracy"].value == pytest.approx(balanced_accuracy_score(labels, called))
    assert row.estimates["deployed_fpr"].value == pytest.approx(np.mean(called[np.array(labels) == 0]))
    assert (row.reals, row.fakes) == (labels.count(0), labels.count(1))


def test_one_percent_of_fewer_than_a_hundred_reals_allows_no_false_positive(
    rows: list[MetricRow], score_root: Path
) -> None:
    labels, scores = read_raw(score_root / "baseline_train", "jpeg50")
    highest_real = max(score for label, score in zip(labels, scores, strict=True) if label == 0)
    found = [score > highest_real for label, score in zip(labels, scores, strict=True) if label == 1]
    assert row_of(rows, "train", "video", "jpeg50").estimates["tpr_at_1pct_fpr"].value == pytest.approx(np.mean(found))


def test_frames_and_videos_have_their_own_threshold(rows: list[MetricRow], score_sets: list[ScoreSet]) -> None:
    frames = score_sets[0].frames["clean"]
    called = frames.scores >= score_sets[0].calibration.frame_threshold
    row = row_of(rows, "train", "frame", "clean")
    assert row.estimates["deployed_tpr"].value == pytest.approx(np.mean(called[frames.labels == 1]))


def test_a_methods_row_ranks_its_fakes_against_all_reals(rows: list[MetricRow]) -> None:
    whole = row_of(rows, "train", "video", "clean")
    parts = [
        row
        for row in rows
        if (row.model, row.role, row.level, row.condition) == ("baseline", "train", "video", "clean") and row != whole
    ]
    assert [row.method for row in parts] == ["Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"]
    assert {row.reals for row in parts} == {whole.reals}
    assert sum(row.fakes for row in parts) == whole.fakes
    weighted = sum(row.fakes * row.estimates["auc"].value for row in parts) / whole.fakes
    assert weighted == pytest.approx(whole.estimates["auc"].value)


def test_intervals_hold_their_value_and_shrink_with_nothing(rows: list[MetricRow]) -> None:
    for row in rows:
        value, low, high = row.estimates["auc"]
        assert np.isnan(low) or low <= value <= high
        assert not np.isnan(low) or value in (0, 1)


def test_changes_from_clean_are_paired(rows: list[MetricRow], score_sets: list[ScoreSet], params: Params) -> None:
    clean, jpeg = (row_of(rows, "train", "video", condition) for condition in ("clean", "jpeg50"))
    change = jpeg.estimates["auc_minus_clean"]
    assert change.value == pytest.approx(jpeg.estimates["auc"].value - clean.estimates["auc"].value)
    resamples = role_resamples(score_sets[0], params.report, params.seed)

    def samples(items: Items) -> np.ndarray:
        return resample({"auc": auc}, Ranking(items.scores, items.labels), items.clusters, resamples)["auc"]

    first, second = (samples(select(score_sets[0], condition, "video")) for condition in ("jpeg50", "clean"))
    assert change[1:] == percentile_interval(first - second)
    assert "auc_minus_clean" not in clean.estimates


def test_a_condition_that_scored_other_frames_has_no_change_from_clean(
    score_sets: list[ScoreSet], params: Params
) -> None:
    frames = score_sets[0].frames["jpeg50"]
    fewer = Items(frames.names[8:], frames.videos[8:], frames.scores[8:])
    changed = replace(score_sets[0], frames={"clean": score_sets[0].frames["clean"], "jpeg50": fewer})
    row = row_of(build_matrix([changed], params.report, params.seed), "train", "frame", "jpeg50")
    assert "auc_minus_clean" not in row.estimates


def test_nor_has_one_of_the_same_videos_by_other_frames(score_sets: list[ScoreSet], params: Params) -> None:
    frames = score_sets[0].frames["jpeg50"]
    firsts = [row for row, video in enumerate(frames.videos) if row == 0 or video != frames.videos[row - 1]]
    assert len(firsts) < len(frames.names)
    fewer = Items(tuple(frames.names[row] for row in firsts), tuple(frames.videos[row] for row in firsts),
                  frames.scores[firsts])  # fmt: skip
    changed = replace(score_sets[0], frames={"clean": score_sets[0].frames["clean"], "jpeg50": fewer})
    row = row_of(build_matrix([changed], params.report, params.seed), "train", "video", "jpeg50")
    assert row.reals + row.fakes == len(firsts)
    assert "auc_minus_clean" not in row.estimates


def test_videos_without_a_face_count_as_real_in_rows_of_their_own(rows: list[MetricRow]) -> None:
    assert not [row for row in rows if row.role == "train" and row.level == "video_all"]
    left_out, counted = (row_of(rows, "cross", level, "clean") for level in ("video", "video_all"))
    assert (counted.reals, counted.fakes) == (left_out.reals + 1, left_out.fakes + 2)
    found = left_out.estimates["deployed_tpr"].value * left_out.fakes
    assert counted.estimates["deployed_tpr"].value == pytest.approx(found / counted.fakes)
    assert "calibration_error" not in counted.estimates


def test_a_method_of_which_no_face_was_found_has_no_row(score_sets: list[ScoreSet], params: Params) -> None:
    frames = score_sets[0].frames["clean"]
    kept = [row for row, video in enumerate(frames.videos) if video.method != "FaceSwap"]
    clean = Items(
        tuple(frames.names[row] for row in kept), tuple(frames.videos[row] for row in kept), frames.scores[kept]
    )
    rows = build_matrix([replace(score_sets[0], frames={"clean": clean})], params.report, params.seed)
    assert {row.method for row in rows if row.level == "video"} == {"all", "Deepfakes", "Face2Face", "NeuralTextures"}


def test_every_condition_has_a_row_on_video_level_and_evasion_by_method_too(
    rows: list[MetricRow], score_sets: list[ScoreSet]
) -> None:
    own = [row for row in rows if (row.model, row.role) == ("robust", "train")]
    video = {(row.condition, row.method) for row in own if row.level == "video"}
    assert {condition for condition, method in video if method == "all"} == set(score_sets[2].frames)
    assert ("unet_jpeg50", "FaceSwap") in video
    assert ("unet_both", "FaceSwap") not in video
    frame = {(row.condition, row.method) for row in own if row.level == "frame"}
    assert {("worst", "all"), ("clean", "FaceSwap")} < frame
    assert not {("unet_both", "all"), ("jpeg50", "FaceSwap")} & frame


def test_the_seed_decides_the_intervals_and_not_the_values(score_sets: list[ScoreSet], params: Params) -> None:
    clean_only = [replace(score_sets[1], frames={"clean": score_sets[1].frames["clean"]})]
    first, again, other = (build_matrix(clean_only, params.report, seed) for seed in (1, 1, 2))
    assert repr(first) == repr(again)
    assert first[0].estimates["auc"].value == other[0].estimates["auc"].value
    assert first[0].estimates["auc"].low != other[0].estimates["auc"].low


def test_models_of_one_dataset_share_their_resamples(score_sets: list[ScoreSet], params: Params) -> None:
    first, second = (role_resamples(scores, params.report, 1) for scores in (score_sets[0], score_sets[2]))
    assert np.array_equal(first.counts, second.counts)
    assert first.index == second.index


def test_the_table_has_a_line_for_each_row_and_empty_cells_where_undefined(
    rows: list[MetricRow], tmp_path: Path
) -> None:
    write_matrix(tmp_path / "conditions.csv", rows)
    with (tmp_path / "conditions.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows)
    assert "nan" not in (tmp_path / "conditions.csv").read_text()
    assert table[0]["calibration_error_low"] == table[0]["auc_minus_clean"] == ""
    assert float(table[0]["auc"]) == pytest.approx(rows[0].estimates["auc"].value, abs=1e-6)
