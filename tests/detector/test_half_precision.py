"""What is exported scores like what was trained."""

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
import torch
from checkpoints import random_checkpoint
from crop_folders import write_crop_folder

import export_model
from deepfake.crops.shards import open_crops
from deepfake.detector.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from deepfake.detector.half_precision import LARGE, to_half_precision
from deepfake.errors import CheckpointError
from deepfake.evaluation.prediction import validation_scores, whole_clips
from deepfake.records import REAL
from deepfake.training.selection import video_logits

CPU = torch.device("cpu")


@pytest.fixture
def checkpoint() -> Checkpoint:
    """A detector most of whose parameters are in large tensors, as in a real one."""
    return random_checkpoint(dim=128)


def changed(checkpoint: Checkpoint, name: str, value: float) -> Checkpoint:
    """The checkpoint with the first value of one tensor set."""
    tensor = checkpoint.weights[name].clone()
    tensor.view(-1)[0] = value
    return replace(checkpoint, weights=checkpoint.weights | {name: tensor})


def large_one(checkpoint: Checkpoint) -> str:
    return next(name for name, tensor in checkpoint.weights.items() if tensor.numel() >= LARGE)


def test_only_large_tensors_are_rounded(checkpoint: Checkpoint) -> None:
    half = to_half_precision(checkpoint)
    for name, tensor in checkpoint.weights.items():
        if tensor.numel() < LARGE:
            assert torch.equal(half.weights[name], tensor)
        else:
            assert half.weights[name].dtype == torch.float16
            assert torch.allclose(half.weights[name].float(), tensor, rtol=2**-11, atol=2**-25)
    assert replace(half, weights={}) == replace(checkpoint, weights={})


def test_the_network_is_float32_and_its_logits_hardly_move(checkpoint: Checkpoint) -> None:
    x = torch.rand(8, 3, 64, 64)
    model = to_half_precision(checkpoint).build(CPU)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    moved = (model(x) - checkpoint.build(CPU)(x)).abs().max()
    assert 0 < moved < 1e-3


@pytest.mark.parametrize("variance", [1e-9, 1e6], ids=["vanishing", "overflowing"])
def test_a_variance_beyond_float16_keeps_its_value(checkpoint: Checkpoint, variance: float) -> None:
    name = next(name for name in checkpoint.weights if name.endswith("running_var"))
    half = to_half_precision(changed(checkpoint, name, variance))
    assert half.weights[name].view(-1)[0] == torch.tensor(variance)


@pytest.mark.parametrize("value", [1e5, float("nan")], ids=str)
def test_a_weight_that_float16_cannot_hold_is_named(checkpoint: Checkpoint, value: float) -> None:
    name = large_one(checkpoint)
    with pytest.raises(CheckpointError, match=rf"{name}: 1 of \d+ values are not finite in torch\.float16"):
        to_half_precision(changed(checkpoint, name, value))


def test_a_statistic_that_is_not_finite_is_named(checkpoint: Checkpoint) -> None:
    name = next(name for name in checkpoint.weights if name.endswith("running_mean"))
    with pytest.raises(CheckpointError, match=rf"{name}: 1 of \d+ values are not finite in torch\.float32"):
        to_half_precision(changed(checkpoint, name, float("inf")))


def test_the_script_writes_the_same_bytes_every_time_and_from_its_own_result(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "m.pt", checkpoint)
    videos = {f"ffpp/{method}/{number}": 2 for method in ("original", "Deepfakes") for number in range(8)}
    crops = write_crop_folder(tmp_path / "crops", videos, split="val", size=64)
    for model, out in (("m", "release/a"), ("m", "release/b"), ("release/a", "release/c")):
        files = ["--model", str(tmp_path / f"{model}.pt"), "--out", str(tmp_path / f"{out}.pt")]
        export_model.main(["--crops", str(crops), *files])
    first, second, third = (path.read_bytes() for path in sorted((tmp_path / "release").iterdir()))
    assert first == second == third
    assert len(first) < 0.7 * (tmp_path / "m.pt").stat().st_size
    assert share_of_reals_called_fake(tmp_path / "release/a.pt", crops) == 0, "none of 8 videos is less than 1 %"


def share_of_reals_called_fake(path: Path, folder: Path) -> float:
    exported, crops = load_checkpoint(path), open_crops(folder)
    scores = validation_scores(exported.build(CPU), crops.of_label(REAL), whole_clips(crops), batch_size=3)
    means = video_logits(scores).values()
    assert max(means) > exported.calibration.video_threshold - 0.001, "the threshold stands right above them"
    return fmean(mean >= exported.calibration.video_threshold for mean in means)
