"""A pull request as its author and its reviewer see it: a branch of the toy project, compared and judged."""

import json
from pathlib import Path

import pytest
from toy_project import Project, commit

FLAGS = "robust.gradient_masking_flags"
CLEAN = "robust.train.clean.partial_auc"


@pytest.fixture
def project(toy: Project, tmp_path: Path) -> Project:
    """A copy whose `main` raises no flag, with a branch checked out."""
    copy = toy.copy(tmp_path / "project")
    set_headline(copy, {FLAGS: 0.0, CLEAN: 0.9})
    commit(copy, "What main has")
    copy.succeed("git", "branch", "--force", "main")
    copy.succeed("git", "checkout", "--quiet", "-b", "change")
    return copy


def set_headline(project: Project, values: dict[str, float]) -> None:
    path = project.root / "metrics" / "headline.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}, indent=2))


def test_a_changed_parameter_is_reported_with_pictures_of_both_revisions(project: Project) -> None:
    project.succeed("dvc", "exp", "run", "-S", "report.resamples=200")
    commit(project, "Resample less")
    printed = project.succeed("python", "src/pr_report.py", "--base", "main", "--images", "https://host.org/me/it")
    text = (project.root / "pr-report.md").read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "worse without an interval" in printed
    assert "| report.resamples | 100 | 200 |" in text
    (clean,) = [line for line in text.splitlines() if line.startswith("| partial AUC: clean | 0.900 |")]
    assert clean.endswith("| **worse without an interval**; gate **fails** |"), "main's 0.9 is made up"
    then, now = project.succeed("git", "rev-parse", "main", "HEAD").split()
    for role in ("train", "cross"):
        assert f'src="https://host.org/me/it/raw/{now}/plots/figures/{role}/eps.png"' in text
        assert f"raw/{then}/plots/gradcam/{role}/" not in text, "the maps are the same"
    assert "pr-report.md" not in project.succeed("git", "status", "--porcelain")


def test_a_headline_made_worse_fails_the_gate_until_a_commit_accepts_it(project: Project) -> None:
    gate = ("python", "src/pr_report.py", "--base", "main", "--gate")
    assert project.succeed(*gate).count("gate holds: ") == 3, "the toy's curve has no 2/255"
    set_headline(project, {CLEAN: 0.8})
    done = project.run(*gate)
    assert done.returncode == 1
    assert f"gate fails: {CLEAN} 0.9 → 0.8, tolerance: at least 0.85 (0.05 below the base" in done.stdout
    assert done.stderr == "error: 1 of 3 guarded metrics may not pass; see docs/review.md\n"
    project.succeed("git", "commit", "--quiet", "--all", "--message", f"Trade\n\nAccept-decline: {CLEAN} for speed")
    assert f"gate accepted: {CLEAN} 0.9 → 0.8" in project.succeed(*gate)


def test_pictures_that_are_not_committed_are_not_linked_on_the_web_but_locally(project: Project) -> None:
    set_headline(project, {CLEAN: 0.8})
    (project.root / "plots/figures/train/eps.png").write_bytes(b"another")
    done = project.run("python", "src/pr_report.py", "--images", "https://host.org/me/it")
    assert done.returncode == 1
    assert done.stderr.startswith("error: metrics/headline.json is not committed: --images")
    project.succeed("python", "src/pr_report.py")
    text = (project.root / "pr-report.md").read_text()
    assert "**Not committed:** metrics/headline.json, plots/figures/train/eps.png." in text
    copy = project.root / ".work/pr_report" / text.partition("against ")[2].partition("against ")[2][:7]
    assert (copy / "plots/figures/train/eps.png").read_bytes().startswith(b"\x89PNG")
    assert f'src="{copy.relative_to(project.root)}/plots/figures/train/eps.png"' in text


def test_broken_parameters_are_one_line_and_not_taken_for_none(project: Project) -> None:
    (project.root / "params.yaml").write_text("seed: [")
    done = project.run("python", "src/pr_report.py")
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml")
    assert len(done.stderr.splitlines()) == 1
