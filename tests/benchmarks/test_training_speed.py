from pathlib import Path
from typing import Any

import pytest
import torch
import training
from bare_timm import attack_bare, cut_network, train_bare, whole_network
from crop_folders import write_crop_folder
from timing import Line
from torch import nn
from toy_project import write_toy_params

from deepfake.crops.batches import Batch
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import SettingsError
from deepfake.params import load_params
from deepfake.tables import read_rows
from deepfake.training.detection_losses import clean_step
from deepfake.training.loop import Losses

VIDEOS = {"set/original/a": 4, "set/Fakes/b": 4}
CPU = torch.device("cpu")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the toy project's parameters and a few crops."""
    write_toy_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    write_crop_folder(tmp_path / "crops", VIDEOS, size=32)
    return tmp_path


def test_at_small_size_every_comparison_has_a_line(project: Path) -> None:
    training.main(["--crops", "crops", "--steps", "2", "--rounds", "1", "--out", "table"])
    lines = read_rows(project / "table.csv", Line)
    assert [(row.task, row.against) for row in lines] == [
        ("clean step", training.WHOLE), ("clean step", training.CUT),
        ("and augmentation", training.WHOLE), ("and augmentation", training.CUT),
        (training.ROBUST, training.CLEAN), (training.ROBUST, training.USUAL),
    ]  # fmt: skip
    assert all(row.ratio > 0 for row in lines)
    assert "units" in (project / "table.md").read_text()


def test_a_step_does_not_pay_for_the_network_it_trains(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params, told = load_params(), list[str]()

    def tell(what: str, result: Any) -> Any:
        told.append(what)
        return result

    monkeypatch.setattr(training, "now", lambda: tell("clock", float(len(told))))
    monkeypatch.setattr(training, "HybridDetector", lambda given: tell("network", HybridDetector(given)))
    epoch = training.batches_of(project / "crops", params, params.baseline, CPU, 2)
    step = clean_step(0.0)

    def counted(model: nn.Module, batch: Batch) -> Losses:
        return tell("step", step(model, batch))

    took = training.train(params, params.baseline, counted, epoch, steps=2, device=CPU)
    assert told == ["network", "clock", "step", "step", "clock"]
    assert took == 3


def test_half_a_replay_cannot_be_timed(project: Path) -> None:
    with pytest.raises(SettingsError, match="a multiple of robust"):
        training.main(["--crops", str(project / "crops"), "--steps", "3", "--out", "table"])


@pytest.mark.usefixtures("project")
def test_the_bare_networks_are_the_detectors_own() -> None:
    params = load_params().detector
    ours, cut, whole = HybridDetector(params), cut_network(params, CPU), whole_network(params, CPU)
    features = [name for name, _ in ours.backbone.named_parameters()]
    assert [name.removeprefix("backbone.") for name, _ in cut.named_parameters()][: len(features)] == features
    assert {name.removeprefix("network.") for name in features} < {name for name, _ in whole.named_parameters()}
    x = torch.rand(2, 3, 32, 32)
    assert cut(x).shape == whole(x).shape == (2, 1)


@pytest.mark.usefixtures("project")
def test_the_bare_loops_give_gradients_and_stay_in_the_ball() -> None:
    torch.manual_seed(0)
    network = cut_network(load_params().detector, CPU)
    x, y = torch.rand(4, 3, 32, 32), torch.tensor([0.0, 1, 0, 1])
    train_bare(network, [Batch(x, y, ())])
    assert all(parameter.grad is not None for parameter in network.parameters())
    x_adv = attack_bare(network, x, y, 0.1, 3)
    assert 0.05 < (x_adv - x).abs().max() <= 0.1 + 1e-6
    assert x_adv.min() >= 0
    assert x_adv.max() <= 1
