"""Two experiments at once, and a video scored while the pipeline runs, do not disturb each other."""

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
        assert found(project, name) == found(project, f"alone-{name}")
    assert found(project, "one", "plots/conditions.csv") != found(project, "three", "plots/conditions.csv")
    assert project.succeed("git", "status", "--porcelain") == ""


def test_a_video_is_scored_while_the_pipeline_runs(project: Project) -> None:
    video = sorted(project.root.glob("data/raw/sample/celebdf/Celeb-real/*.mp4"))[0]
    score = ("python", "src/predict.py", str(video), "--json")
    before = project.run(*score)
    process = project.start("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train_robust@robust")
    during = project.run(*score)
    assert process.poll() is None, "the stage was over before the video was scored"
    finish(process)
    assert (during.returncode, during.stdout) == (0, before.stdout)
    assert "Running stage" not in project.succeed("dvc", "repro"), "the stage found what it had found before"


def experiment(project: Project, name: str, steps: int) -> "subprocess.Popen[bytes]":
    return project.start("dvc", "exp", "run", "--temp", "--name", name, "-S", f"attack.steps={steps}")


def finish(process: "subprocess.Popen[bytes]") -> None:
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, printed[-3000:].decode()


def found(project: Project, name: str, path: str = "") -> str:
    """Git's hash of all files of an experiment, or of one; `dvc.lock` among them has the hashes of DVC's files."""
    commit = project.succeed("git", "for-each-ref", "--format", "%(objectname)", f"refs/exps/**/{name}").strip()
    return project.succeed("git", "rev-parse", f"{commit}:{path}")
