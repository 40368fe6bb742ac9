"""Sharing results through a DVC remote: what one clone pushed, another pulls and need not compute."""

import json

import pytest
from toy_project import Project, commit


@pytest.fixture(scope="module")
def pulled(toy: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone that has the history and a remote, as on another machine, after `dvc pull`."""
    folder = tmp_path_factory.mktemp("shared")
    first, second = toy.copy(folder / "first"), Project(folder / "second")
    first.succeed("dvc", "remote", "add", "--default", "store", str(folder / "store"))
    commit(first, "Say where results are shared")
    first.succeed("dvc", "push")
    first.succeed("git", "clone", "--quiet", str(first.root), str(second.root))
    second.succeed("dvc", "pull")
    return second


def test_what_was_pulled_is_up_to_date_and_nothing_is_run_again(pulled: Project) -> None:
    assert pulled.succeed("dvc", "status") == "Data and pipelines are up to date.\n"
    assert "Running stage" not in pulled.succeed("dvc", "repro")
    assert pulled.succeed("git", "status", "--porcelain") == ""


def test_a_pulled_model_is_the_one_that_was_trained(pulled: Project) -> None:
    pulled.succeed("python", "src/export_model.py", "--crops", "data/crops/train", "--model", "models/robust.pt",
                   "--out", "again.pt")  # fmt: skip
    assert (pulled.root / "again.pt").read_bytes() == (pulled.root / "models/release/robust.pt").read_bytes()


def test_a_pulled_detector_scores_a_pulled_video(pulled: Project) -> None:
    video = sorted(pulled.root.glob("data/raw/sample/celebdf/Celeb-real/*.mp4"))[0]
    answer = json.loads(pulled.succeed("python", "src/predict.py", str(video), "--json"))
    (told,) = answer["files"]
    assert told["faces"]
