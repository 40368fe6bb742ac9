"""Two experiments at once, and a video scored while the pipeline runs, do not disturb each other."""

import json
import subprocess
from pathlib import Path

import pytest
from toy_project import Project

pytestmark = pytest.mark.faults
PATIENCE = 600  # seconds


@pytest.fixture
def project(toy: Project, tmp_path: Path) -> Project:
    return toy.copy(tmp_path / "project")


def test_two_experiments_at_once_find_what_each_finds_alone(project: Project) -> None:
    steps = {"one": 1, "three": 3}
    for name, count in steps.items():
        finish(experiment(project, f"alone-{name}", count))
    project.succeed("rm", "-rf", ".dvc/tmp/rundirs", ".dvc/cache/runs")  # or the second time nothing is run
    for process in [experiment(project, name, count) for name, count in steps.items()]:
        finish(process)
    for name in steps:
        assert metrics(project, name) == metrics(project, f"alone-{name}")
    assert metrics(project, "one") != metrics(project, "three")
    assert project.succeed("git", "status", "--porcelain") == ""


def test_a_video_is_scored_while_the_pipeline_runs(project: Project) -> None:
    video = sorted(project.root.glob("data/raw/sample/celebdf/Celeb-real/*.mp4"))[0]
    score = ("python", "src/predict.py", str(video), "--json")
    before = project.run(*score)
    process = project.start("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train_robust@robust")
    during = project.run(*score)
    assert process.poll() is None, "the stage was over before the video was scored"
    finish(process)
    assert (during.returncode, during.stdout) == (before.returncode, before.stdout)
    assert "Running stage" not in project.succeed("dvc", "repro"), "the stage found what it had found before"


def experiment(project: Project, name: str, steps: int) -> "subprocess.Popen[bytes]":
    return project.start("dvc", "exp", "run", "--temp", "--name", name, "-S", f"attack.steps={steps}")


def finish(process: "subprocess.Popen[bytes]") -> None:
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed[-3000:].decode()


def metrics(project: Project, revision: str) -> object:
    return json.loads(project.succeed("git", "show", f"{revision}:metrics/headline.json"))
