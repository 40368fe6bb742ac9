"""Stages that torchrun starts in two processes (gloo, CPU) find what one process finds, and end together."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from crop_folders import write_crop_folder
from toy_project import REPOSITORY, Project

from deepfake.attacks.learned import load_attacker
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.ranks import agree, gather, share, share_of_batch
from deepfake.records import FrameScore
from deepfake.tables import read_rows

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SCRIPT = REPOSITORY / "tests/ranked.py"
SHARED = ("extract_faces@train", "train_robust@robust", "evaluate@baseline-train")
ALONE = "export@baseline"  # of the first of them
LATER = ("train_faceless", "fit_attacker@baseline")  # so that no other stage reads what they write


@pytest.fixture(scope="module")
def project(toy: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The toy project after stages were run again by two processes."""
    project = toy.copy(tmp_path_factory.mktemp("ranks") / "project")
    for stage in (*SHARED, ALONE, *LATER):
        repro = ("dvc", "repro", "--force", "--no-run-cache", "--single-item", stage)
        threads = "3" if stage == "extract_faces@train" else os.environ.get("OMP_NUM_THREADS", "1")
        done = project.run(*repro, LAUNCH=" ".join(TORCHRUN), OMP_NUM_THREADS=threads,
                           DEEPFAKE_WORK=str(project.root / "work of two"))  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return project


def test_two_processes_find_the_same_faces_and_the_lock_does_not_know_them(toy: Project, project: Project) -> None:
    before, after = (yaml.safe_load((one.root / "dvc.lock").read_text())["stages"] for one in (toy, project))
    assert after["extract_faces@train"] == before["extract_faces@train"]
    for stage in (*SHARED, *LATER):
        assert {**after[stage], "outs": ()} == {**before[stage], "outs": ()}


def test_a_stage_of_the_first_process_does_not_wait_for_the_others(toy: Project, project: Project) -> None:
    first, second = ((one.root / "models/release/baseline.pt").read_bytes() for one in (toy, project))
    assert first == second


def test_two_processes_give_every_frame_and_condition_a_score_and_clean_ones_the_same(
    toy: Project, project: Project
) -> None:
    one, two = (scores(each) for each in (toy, project))
    assert two.keys() == one.keys()
    clean = [place for place in one if place[0] == "clean"]
    assert clean
    assert {place: two[place] for place in clean} == pytest.approx({place: one[place] for place in clean}, abs=1e-4)
    assert {place: two[place] for place in one} == pytest.approx(one, abs=0.02), "an attack amplifies rounding"


def test_two_processes_train_detectors_and_an_attacker_that_are_whole(project: Project) -> None:
    for name in ("robust", "faceless"):
        assert load_checkpoint(project.root / f"models/{name}.pt").build(torch.device("cpu"))
    assert load_attacker(project.root / "models/attacker_baseline.pt", torch.device("cpu"))
    for script in ("train_robust", "train_baseline", "fit_attacker"):
        assert not list((project.root / "work of two" / script).iterdir()), "unfinished work is left"


def test_a_training_step_of_two_processes_has_the_loss_and_gradient_of_one(tmp_path: Path) -> None:
    one, two = train(tmp_path / "one", sys.executable), train(tmp_path / "two", *TORCHRUN)
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-6)
    largest = max(gradient.abs().max().item() for gradient in one["gradients"].values())
    assert largest > 1e-3
    for name, gradient in one["gradients"].items():
        torch.testing.assert_close(two["gradients"][name], gradient, rtol=1e-6, atol=1e-6 * largest)


def test_an_infinite_loss_on_one_rank_takes_all_of_them_back(tmp_path: Path) -> None:
    assert train(tmp_path, *TORCHRUN, options=["--ill"])["setbacks"] == 1


def test_two_processes_train_one_unet_and_one_detector_against_it(tmp_path: Path) -> None:
    told = train(tmp_path, *TORCHRUN, options=["--attacked", "--epochs", "3"])
    for name in ("unets", "detectors"):
        first, second = told[name]
        assert torch.equal(first, second), f"the ranks' {name} went apart"
    assert not torch.equal(told["unets"][0], told["began"]), "the U-Net never took a step"


@pytest.mark.parametrize("launch", [(sys.executable,), TORCHRUN], ids=["one process", "two"])
def test_what_two_processes_began_goes_on_with_any_number(tmp_path: Path, launch: tuple[str, ...]) -> None:
    whole = train(tmp_path / "whole", sys.executable, options=["--epochs", "2"])
    begun = start_training(tmp_path, *TORCHRUN, options=["--epochs", "2", "--end-in", "2"])
    assert "error: epoch 2: no further" in begun.stderr
    went_on = train(tmp_path, *launch, options=["--epochs", "2", "--end-in", "1"])
    assert went_on["losses"] == pytest.approx(whole["losses"], abs=1e-5)


def test_a_process_that_does_not_join_the_others_has_all_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert share_of_batch([1, 2, 3]) == share([1, 2, 3]) == gather([1, 2, 3]) == [1, 2, 3]
    assert agree("this") == "this"


def test_a_rank_that_fails_ends_the_job_with_its_own_error() -> None:
    done = start(*TORCHRUN, str(SCRIPT), "--fail")
    assert done.returncode == 1
    assert "error: crops.csv: this rank met bad data" in done.stderr.splitlines()


def scores(project: Project) -> dict[tuple[str, str, int], float]:
    rows = read_rows(project.root / "data/scores/baseline_train/frames.csv", FrameScore)
    places = {(row.condition, row.video, row.frame): row.logit for row in rows}
    assert len(places) == len(rows), "a frame was scored twice"
    return places


def train(folder: Path, *launch: str, options: Sequence[str] = ()) -> dict[str, Any]:
    """What ranked.py writes at the end of a training in a folder, which may go on from an earlier one."""
    done = start_training(folder, *launch, options=options)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = torch.load(folder / "told.pt", weights_only=True)
    return told


def start_training(folder: Path, *launch: str, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    crops = folder / "crops"
    if not crops.exists():
        write_crop_folder(crops, {"ffpp/original/1": 8, "ffpp/Deepfakes/1_2": 8}, size=32)
    return start(*launch, str(SCRIPT), "--crops", str(crops), "--out", str(folder / "told.pt"), *options)


def start(*command: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "DEEPFAKE_DEVICE": "cpu"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
