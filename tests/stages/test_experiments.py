"""Experiments as their users run them: sweeps in the queue, runs in a clone, and comparing what came out."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
from toy_project import Project

BUDGETS = ["2/255", "4/255", "8/255"]
BOUND = "report.max_false_positive_rate"  # reruns the report and nothing else


@pytest.fixture(scope="module")
def swept(toy: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The toy project after a sweep in the queue: its first value is fine, its second asks for what cannot be."""
    project = toy.copy(tmp_path_factory.mktemp("swept") / "project")
    project.succeed("dvc", "exp", "run", "--queue", "--name", "try", "-S", f"{BOUND}=0.5,2")
    project.succeed("dvc", "queue", "start")
    waited = time.monotonic() + 600
    while re.search("Queued|Running", project.succeed("dvc", "queue", "status")) and time.monotonic() < waited:
        time.sleep(1)
    return project


@pytest.fixture
def clone(toy: Project, tmp_path: Path) -> Project:
    """A clean clone that shares the toy project's cache and has checked nothing out."""
    clone = Project(tmp_path / "clone")
    toy.succeed("git", "clone", "--quiet", str(toy.root), str(clone.root))
    clone.succeed("dvc", "config", "--local", "cache.dir", str(toy.root / ".dvc/cache"))
    return clone


def test_budgets_with_commas_between_them_are_a_sweep(clone: Project) -> None:
    printed = clone.succeed("dvc", "exp", "run", "--queue", "-S", f"attack.eps={','.join(BUDGETS)}")
    assert re.findall(r"\['attack.eps=(.*?)'\]", printed) == BUDGETS
    assert clone.succeed("dvc", "queue", "status").count("Queued") == 3


def test_one_bad_value_of_a_sweep_fails_alone_and_its_log_says_why(swept: Project) -> None:
    states = dict(re.findall(r"(try-\d).*(Success|Failed)", swept.succeed("dvc", "queue", "status")))
    assert states == {"try-1": "Success", "try-2": "Failed"}
    log = swept.succeed("dvc", "queue", "logs", "try-2")
    assert f"error: params.yaml: {BOUND}: should be less than or equal to 1, not 2" in log
    assert "Traceback" not in log


def test_a_sweep_leaves_the_workspace_alone(swept: Project) -> None:
    assert swept.succeed("git", "status", "--porcelain") == ""
    assert swept.succeed("dvc", "exp", "list", "--name-only").split() == ["try-1"]


def test_two_experiments_differ_in_what_was_varied_and_in_nothing_else(swept: Project) -> None:
    changed = json.loads(swept.succeed("dvc", "params", "diff", "HEAD", "try-1", "--json"))
    assert [list(keys) for keys in changed.values()] == [[BOUND]]
    moved = json.loads(swept.succeed("dvc", "metrics", "diff", "HEAD", "try-1", "--json"))
    assert moved
    assert all("partial_auc" in key for keys in moved.values() for key in keys)
    shown = swept.succeed("dvc", "exp", "show", "--only-changed", "--csv").splitlines()[0]
    assert BOUND in shown
    assert "attack.eps" not in shown


def test_plots_of_two_revisions_are_drawn_over_one_another(swept: Project, tmp_path: Path) -> None:
    swept.succeed("dvc", "plots", "diff", "HEAD", "try-1", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert "ROC in-domain (train)" in page
    assert "try-1" in page


def test_an_applied_experiment_is_what_the_workspace_then_holds(swept: Project, tmp_path: Path) -> None:
    project = swept.copy(tmp_path / "project")
    project.succeed("dvc", "exp", "apply", "try-1")
    assert json.loads(project.succeed("dvc", "metrics", "diff", "try-1", "--json")) == {}
    assert project.succeed("dvc", "status") == "Data and pipelines are up to date.\n"


def test_a_clean_clone_can_experiment_elsewhere_with_data_from_elsewhere(
    toy: Project, clone: Project, tmp_path: Path
) -> None:
    outside = tmp_path / "real data" / "Celeb-DF++"
    shutil.copytree(toy.root / "data/raw/sample/celebdf", outside)
    setting = f"datasets.cross.root='{outside}'"
    printed = clone.succeed("dvc", "exp", "run", "--temp", "--name", "outside", "-S", setting, "cache_crops@cross")
    assert re.findall("Running stage '(.*)'", printed) == ["extract_faces@cross", "cache_crops@cross"]
    assert clone.succeed("git", "status", "--porcelain") == ""
    assert not (clone.root / "data").exists()
    clone.succeed("dvc", "exp", "apply", "outside")
    assert clone.run("dvc", "status", "extract_faces@cross", "cache_crops@cross").stdout.count("up to date") == 1
