from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import video_space
from crop_folders import face_video, write_crop_folder
from toy_project import Project
from video_space_table import CROP, NO_ATTACK, VIDEO, Line, Seen, Way, build_lines, to_markdown

from deepfake.errors import DataError, SettingsError
from deepfake.metrics.bootstrap import draw_resamples
from deepfake.records import FAKE, FaceVideo, FrameScore
from deepfake.tables import read_rows

NAMES = [f"ffpp/{method}/{number:03d}" for number in range(10) for method in ("Deepfakes", "original")]


def videos(found: int = 4) -> dict[str, FaceVideo]:
    """Ten people with a real and a fake video each; faces are found in so many of 4 frames."""
    return {
        name: FaceVideo(**{**vars(face_video(name, split="test", cluster=name[-3:])), "frames_found": found})
        for name in NAMES
    }


def seen(lift: float, found: int = 4) -> Seen:
    """Scores of two frames a video: fakes are `lift` above the real of their number."""
    people = videos(found)
    scores = [
        FrameScore("", name, 0, frame, place // 2 + frame + (lift if people[name].label == FAKE else 0.0))
        for place, name in enumerate(people)
        for frame in (0, 1)
    ]
    return Seen(scores, people)


@pytest.fixture
def lines() -> list[Line]:
    ways = {Way("pgd", CROP): seen(-20), Way("pgd", CROP, 23): seen(-20), Way("pgd", VIDEO, 23): seen(3.5, found=3)}
    resamples = draw_resamples((video.cluster for video in videos().values()), 200, seed=0)
    return list(build_lines("baseline", ways, resamples))


def test_a_line_has_means_over_videos_counts_and_the_share_of_faces_found(lines: list[Line]) -> None:
    crop, _, video = lines
    assert (crop.attack, crop.space, crop.crf) == ("pgd", CROP, -1)
    assert (crop.fakes, crop.reals) == (10, 10)
    assert crop.logit_reals == pytest.approx(5.0)
    assert crop.logit_fakes == pytest.approx(-15.0)
    assert np.isnan(crop.found)
    assert video.found == 0.75


def test_video_space_is_compared_with_crop_space_after_the_same_codec(lines: list[Line]) -> None:
    crop, compressed, video = lines
    assert np.isnan(crop.change)
    assert np.isnan(compressed.change)
    assert video.change == pytest.approx(video.auc - compressed.auc)
    assert video.change_low < video.change <= video.change_high


def test_a_video_without_a_face_in_video_space_is_left_out_of_the_comparison() -> None:
    whole = seen(-20)
    lost = next(name for name, video in whole.videos.items() if video.label == FAKE)
    others = Seen([score for score in whole.scores if score.video != lost], whole.videos)
    easy = [replace(score, logit=score.logit + 100 * (score.video == lost)) for score in whole.scores]
    ways = {Way("pgd", CROP, 23): Seen(easy, whole.videos), Way("pgd", VIDEO, 23): others}
    resamples = draw_resamples((video.cluster for video in videos().values()), 200, seed=0)
    crop, video = build_lines("baseline", ways, resamples)
    assert (crop.fakes, video.fakes, crop.auc) == (10, 9, 0.1)
    assert video.change == 0, "the same scores on the same videos"


def test_the_markdown_has_a_row_for_each_line_and_says_how_it_was_made(lines: list[Line]) -> None:
    text = to_markdown(lines, ["eps 8/255"])
    table, note = text.strip().split("\n\n")
    assert len({row.count("|") for row in table.splitlines()}) == 1
    assert len(table.splitlines()) == 2 + len(lines)
    assert "| PGD | whole video, H.264 CRF 23 |" in table
    assert "75.0\u00a0%" in table
    assert note == "- eps 8/255"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--videos", "0"], "--videos"),
        (["--crf", "52"], "--crf"),
        (["--detector", "a"], "--detector: a name, a checkpoint"),
        (["--detector", "b", "x.pt"], "--detector: a name of its own"),
    ],
)
def test_bad_options_are_named(options: list[str], line: str) -> None:
    with pytest.raises(SettingsError, match=line):
        video_space.main(["--role", "train", "--faces", "f", "--crops", "c", "--out", "o", "--detector", "b", "m.pt",
                          *options])  # fmt: skip


def test_few_videos_are_whole_ones_of_both_classes(tmp_path: Path) -> None:
    folder = write_crop_folder(tmp_path / "crops", dict.fromkeys(NAMES, 3), split="test")
    crops = video_space.few_videos(folder, 2)
    assert sorted(video.label for video in crops.videos.values()) == [0, 0, 1, 1]
    assert len(crops.rows) == 4 * 3


def test_single_pictures_have_no_video_to_go_back_to(tmp_path: Path) -> None:
    folder = write_crop_folder(tmp_path / "crops", dict.fromkeys(NAMES, 1), split="test")
    table = folder / "videos.csv"
    table.write_text(table.read_text().replace(",video,", ",crop,"))
    with pytest.raises(DataError, match="single pictures"):
        video_space.few_videos(folder, 2)


def test_on_the_toy_project_every_way_is_scored(toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy.root)
    monkeypatch.setenv("DEEPFAKE_WORK", str(tmp_path / "work"))
    video_space.main([
        "--role", "train", "--faces", "data/faces/train", "--crops", "data/crops/train", "--videos", "2", "--crf", "23",
        "--detector", "baseline", "models/release/baseline.pt", "models/attacker_baseline.pt",
        "--out", str(tmp_path / "table"),
    ])  # fmt: skip
    rows = read_rows(tmp_path / "table.csv", Line)
    spaces = [(CROP, -1), (CROP, 23), (VIDEO, 23)]
    assert [(row.attack, row.space, row.crf) for row in rows] == [
        (attack, *space) for attack in (NO_ATTACK, "pgd", "unet") for space in spaces
    ]
    assert {(row.fakes, row.reals) for row in rows if row.space == CROP or row.attack == NO_ATTACK} == {(2, 2)}
    again = [row for row in rows if row.space == VIDEO]
    assert [row.found for row in again if row.attack == NO_ATTACK] == [1.0]
    assert [row.reals for row in again] == [2, 2, 2]
    assert all(row.fakes == 2 or row.found < 1 for row in again), "a fake is missing only where its face was lost"
    attacked, clean = (next(row for row in rows if row.attack == attack) for attack in ("pgd", NO_ATTACK))
    assert attacked.logit_fakes < clean.logit_fakes
    assert attacked.logit_reals == clean.logit_reals
    assert "models" not in (tmp_path / "table.md").read_text(), "files are named by their hash, not by where they are"
