"""What only a GPU can show: the same code there, in bf16 and channels-last."""

from pathlib import Path

import numpy as np
import pytest
import torch
from crop_folders import write_crop_folder

from deepfake.crops.batches import TrainingBatches, to_unit
from deepfake.crops.shards import open_crops
from deepfake.detector.hybrid import HybridDetector
from deepfake.params import load_params
from deepfake.training.clean import clean_step
from deepfake.training.loop import Task, prepare_fit, run_fit

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")]

PARAMS = load_params(Path(__file__).parents[1] / "params.yaml")


@pytest.fixture
def model() -> HybridDetector:
    torch.manual_seed(0)
    return HybridDetector(PARAMS.detector).to(memory_format=torch.channels_last).eval()


def test_logits_agree_with_the_cpu(model: HybridDetector) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 80, 80, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = model(to_unit(pixels, torch.device("cpu")))
        found = model.cuda()(to_unit(pixels, torch.device("cuda")))
    assert torch.allclose(found.cpu(), expected, atol=1e-3)


def test_training_in_bf16_moves_the_weights_and_stays_finite(model: HybridDetector, tmp_path: Path) -> None:
    crops = open_crops(write_crop_folder(tmp_path / "crops", {"set/original/a": 8, "set/A/b": 8}, size=64))
    settings = PARAMS.baseline.model_copy(update={"epochs": 2, "steps": 3, "batch_size": 8})
    batches = TrainingBatches(
        crops, 3, 8, lambda crop, *_: crop, seed=1, device=torch.device("cuda"), workers=2
    )  # fmt: skip
    fit = prepare_fit(model.cuda(), settings)
    task = Task(batches.epoch, clean_step(0.05), lambda _: {"val/auc": 0.5}, lambda metrics: (metrics["val/auc"],))
    run_fit(fit, task, settings, seed=1, state=tmp_path / "state.pt", log=lambda _: None)
    assert len(fit.history) == 2
    assert all(np.isfinite(epoch["train/clean"]) for epoch in fit.history)
    assert next(fit.average.module.parameters()).is_cuda
