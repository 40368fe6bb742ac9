"""Score folders are read whole, and one that contradicts itself is refused by name."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepfake.errors import DataError
from deepfake.reporting.items import to_videos, with_faceless
from deepfake.reporting.scores import ALL_VIDEOS, VIDEO, ScoreSet, load_score_sets, select

ROLES = ("train", "cross")
Edit = Callable[[list[str]], list[str]]


def edit(path: Path, change: Edit) -> None:
    """Replace a table's lines; the first one is the header."""
    path.write_text("\n".join([*change(path.read_text().splitlines()), ""]))


def test_models_come_by_name_and_roles_in_the_order_given(editable_scores: Path) -> None:
    for role in ROLES:
        shutil.move(editable_scores / f"robust_{role}", editable_scores / f"a_second_{role}")
    loaded = load_score_sets(editable_scores, ROLES)
    models = ("a_second", "baseline", "longer")
    assert [(scores.model, scores.role) for scores in loaded] == [(model, role) for model in models for role in ROLES]


def test_only_test_videos_are_ranked_and_clean_comes_first(score_sets: list[ScoreSet]) -> None:
    train = score_sets[0]
    assert {video.split for video in train.videos} == {"val", "test"}
    assert {video.split for frames in train.frames.values() for video in frames.videos} == {"test"}
    assert list(train.frames)[:3] == ["clean", "jpeg90", "jpeg70"]


def test_the_score_of_a_video_is_the_mean_logit_of_its_frames(score_sets: list[ScoreSet]) -> None:
    frames = score_sets[0].frames["jpeg50"]
    videos = to_videos(frames)
    for name, score in zip(videos.names, videos.scores, strict=True):
        own = [logit for video, logit in zip(frames.videos, frames.scores, strict=True) if video.video == name]
        assert score == pytest.approx(np.mean(own), abs=1e-12)
    assert len(videos.names) == len(score_sets[0].test_videos)


def test_a_video_without_a_face_ranks_below_all_others(score_sets: list[ScoreSet]) -> None:
    cross = score_sets[1]
    scored, everything = select(cross, "clean", VIDEO), select(cross, "clean", ALL_VIDEOS)
    added = everything.scores[len(scored.names) :]
    assert len(added) == 3
    assert added.max() < scored.scores.min()
    assert len(with_faceless(scored, [], 0).names) == len(scored.names)


def test_a_video_without_a_face_is_called_real_where_no_other_is(score_sets: list[ScoreSet]) -> None:
    cross = score_sets[1]
    scored, threshold = select(cross, "clean", VIDEO), cross.calibration.video_threshold
    high = replace(scored, scores=scored.scores - scored.scores.min() + threshold + 2)
    added = with_faceless(high, cross.test_videos, threshold).scores[len(high.names) :]
    assert len(added) == 3
    assert added.max() < threshold


def test_the_order_of_rows_does_not_matter(editable_scores: Path) -> None:
    before = load_score_sets(editable_scores, ["train"])[0].frames["jpeg30"]
    edit(editable_scores / "baseline_train" / "frames.csv", lambda lines: [lines[0], *sorted(lines[1:], reverse=True)])
    after = load_score_sets(editable_scores, ["train"])[0].frames["jpeg30"]
    assert before.names == after.names
    assert np.array_equal(before.scores, after.scores)


def test_without_any_scores_the_stage_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `dvc repro evaluate`"):
        load_score_sets(tmp_path / "nothing", ROLES)


def test_a_model_that_was_not_scored_on_a_role_is_named(editable_scores: Path) -> None:
    shutil.rmtree(editable_scores / "baseline_cross")
    with pytest.raises(DataError, match=r"baseline_cross.*no such table"):
        load_score_sets(editable_scores, ROLES)


FAULTS: dict[str, tuple[str, Edit, str]] = {
    "a video twice": ("videos.csv", lambda lines: [*lines, lines[-1]], "listed twice"),
    "an unknown video": ("frames.csv", lambda lines: [*lines, "clean,a/b/c,0,0,1.0"], "a/b/c has scores"),
    "a frame twice": ("frames.csv", lambda lines: [*lines, lines[-1]], "twice"),
    "no clean": ("frames.csv", lambda lines: [line for line in lines if not line.startswith("clean,")], "clean"),
    "not a number": ("frames.csv", lambda lines: [*lines[:-1], lines[-1].rpartition(",")[0] + ",nan"], "logit is nan"),
    "a lost video": (
        "frames.csv",
        lambda lines: [line for line in lines if "clean,celebdf/Celeb-real/id7_" not in line],
        "no clean scores of celebdf/Celeb-real/id7_0000",
    ),
    "an eps curve of strangers": ("eps_curve.csv", lambda lines: [*lines, "0.0,pgd,a/b/c,0,0,1.0"], "a/b/c has scores"),
    "a budget without its worst case": (
        "eps_curve.csv",
        lambda lines: [line for line in lines if not line.startswith(f"{8 / 255},worst,")],
        "not the same budgets",
    ),
    "an attack on other frames": (
        "frames.csv",
        lambda lines: [line for line in lines if "pgd,celebdf/Celeb-real/id7_" not in line],
        "pgd has scores of other frames than clean",
    ),
    "reals only": ("faceless.csv", lambda lines: [line for line in lines if "synthesis" not in line], "one class only"),
    "two of the faceless": (
        "faceless.csv",
        lambda lines: [*lines, *(line.replace("face_masked", "x") for line in lines[1:])],
        "2 conditions",
    ),
    "none of the faceless": ("faceless.csv", lambda lines: lines[:1], "0 conditions"),
}


@pytest.mark.parametrize(("name", "change", "message"), FAULTS.values(), ids=FAULTS)
def test_a_table_that_contradicts_itself_is_refused(
    editable_scores: Path, name: str, change: Edit, message: str
) -> None:
    edit(editable_scores / "baseline_cross" / name, change)
    with pytest.raises(DataError, match=message) as caught:
        load_score_sets(editable_scores, ["cross"])
    assert name in str(caught.value) or "other frames" in message


@pytest.mark.parametrize("name", ["frames.csv", "eps_curve.csv", "perturbations.csv", "sanity.csv"])
def test_a_missing_table_names_the_stage_that_writes_it(editable_scores: Path, name: str) -> None:
    (editable_scores / "robust_train" / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: no such table; run `dvc repro evaluate`"):
        load_score_sets(editable_scores, ["train"])


def test_budgets_ascend_and_hold_test_frames_only(score_sets: list[ScoreSet]) -> None:
    assert set(score_sets[0].eps_curve) == {"pgd", "worst"}
    for budgets in score_sets[0].eps_curve.values():
        assert list(budgets) == [0, 1 / 255, 2 / 255, 4 / 255, 8 / 255]
        assert {video.split for frames in budgets.values() for video in frames.videos} == {"test"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"frame_threshold": 0.0, "video_threshold": 0.0}),
        json.dumps({"frame_threshold": 0.0, "video_threshold": float("inf"), "temperature": 1.0}),
        json.dumps({"frame_threshold": 0.0, "video_threshold": 0.0, "temperature": 0.0}),
    ],
)
def test_a_calibration_that_cannot_be_used_is_refused(editable_scores: Path, text: str) -> None:
    (editable_scores / "baseline_train" / "calibration.json").write_text(text)
    with pytest.raises(DataError, match=r"calibration\.json"):
        load_score_sets(editable_scores, ["train"])
