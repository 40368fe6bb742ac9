from argparse import Namespace
from pathlib import Path

import evaluation
import pytest
from evaluation import ANEW, WHOLE, Matrix, anew, once, open_matrix
from timing import Line
from toy_project import Project

from deepfake.params import load_params
from deepfake.records import FAKE, FrameScore
from deepfake.tables import read_rows

FILES = {"crops": "data/crops/train", "model": "models/release/robust.pt", "attacker": "models/attacker_robust.pt"}


@pytest.fixture(scope="module")
def matrix(toy: Project) -> Matrix:
    args = Namespace(**{name: toy.root / path for name, path in FILES.items()}, videos=None)
    return open_matrix(args, load_params(toy.root / "params.yaml"))


@pytest.fixture(scope="module")
def ours(matrix: Matrix) -> list[FrameScore]:
    return [score for _, scores in once(matrix) for score in scores]


def test_each_attack_once_is_what_the_evaluate_stage_does(ours: list[FrameScore], matrix: Matrix, toy: Project) -> None:
    stage = read_rows(toy.root / "data/scores/robust_train/frames.csv", FrameScore)
    theirs = {place(score): score.logit for score in stage if score.video in matrix.target.crops.videos}
    # The stage ran in a process of its own, with other threads: the last digit may differ.
    assert {place(score): score.logit for score in ours} == pytest.approx(theirs, abs=1e-4)


def test_attacking_anew_finds_the_same_scores_under_the_same_conditions(ours: list[FrameScore], matrix: Matrix) -> None:
    theirs = [score for _, scores in anew(matrix) for score in scores]
    videos = matrix.target.crops.videos
    assert {score.condition for score in theirs} == {score.condition for score in ours}
    beyond = {threat.name for threat in matrix.further(matrix.params.attack.eps)}
    lowest = {place(score): score.logit for score in ours}
    for score in theirs:
        if score.condition in beyond and videos[score.video].label == FAKE:
            assert lowest[place(score)] <= lowest["pgd", *place(score)[1:]], "a fake keeps its lowest logit"
        else:
            assert lowest[place(score)] == pytest.approx(score.logit, abs=1e-4)


def test_at_small_size_every_part_has_a_line(toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy.root)
    options = [text for name, path in FILES.items() for text in (f"--{name}", path)]
    evaluation.main([*options, "--videos", "2", "--rounds", "1", "--out", str(tmp_path / "table")])
    lines = read_rows(tmp_path / "table.csv", Line)
    assert {row.against for row in lines} == {ANEW}
    assert lines[-1].task == WHOLE
    assert lines[-1].ratio > 0


def place(score: FrameScore) -> tuple[str, str, int]:
    return score.condition, score.video, score.frame
