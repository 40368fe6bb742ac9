import pickle
from pathlib import Path

import pytest
import torch
from checkpoints import random_checkpoint

from deepfake.detector.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from deepfake.errors import CheckpointError


@pytest.fixture
def checkpoint() -> Checkpoint:
    return random_checkpoint()


def test_what_is_saved_comes_back_and_scores_the_same(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "m.pt", checkpoint)
    loaded = load_checkpoint(tmp_path / "m.pt")
    assert (loaded.detector, loaded.faces, loaded.crops) == (checkpoint.detector, checkpoint.faces, checkpoint.crops)
    assert (loaded.calibration, loaded.training) == (checkpoint.calibration, checkpoint.training)
    x, cpu = torch.rand(2, 3, 64, 64), torch.device("cpu")
    assert torch.equal(loaded.build(cpu)(x), checkpoint.build(cpu)(x))


def test_the_bytes_do_not_depend_on_the_name(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.pt", checkpoint)
    save_checkpoint(tmp_path / "another_name.pt", checkpoint)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another_name.pt").read_bytes()


def test_a_built_detector_is_frozen_and_in_eval_mode(checkpoint: Checkpoint) -> None:
    model = checkpoint.build(torch.device("cpu"))
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("a checkpoint ran code",)


@pytest.mark.parametrize("content", ["bomb", "text", "half", "empty", "stranger"])
def test_a_file_that_is_no_checkpoint_is_refused_by_name(
    checkpoint: Checkpoint, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.pt"
    save_checkpoint(path, checkpoint)
    if content == "bomb":
        path.write_bytes(pickle.dumps({"format": Bomb()}))
    elif content == "text":
        path.write_text("hello")
    elif content == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif content == "empty":
        path.write_bytes(b"")
    else:
        torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"m\.pt"):
        load_checkpoint(path)
    assert "ran code" not in capsys.readouterr().out


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(tmp_path / "gone.pt")


def test_weights_of_another_network_are_refused(checkpoint: Checkpoint) -> None:
    weights = {name: tensor for name, tensor in checkpoint.weights.items() if "logit" not in name}
    damaged = Checkpoint(**{**vars(checkpoint), "weights": weights})
    with pytest.raises(CheckpointError, match="do not fit"):
        damaged.build(torch.device("cpu"))
