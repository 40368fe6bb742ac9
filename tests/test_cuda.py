"""What only a GPU can show: the same code there, in bf16 and channels-last."""

from pathlib import Path

import numpy as np
import pytest
import torch
from crop_folders import write_crop_folder

from deepfake.attacks.measures import measure
from deepfake.attacks.pgd import PGD
from deepfake.attacks.unet import PerturbationUNet
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.crops.batches import Batch, TrainingBatches, to_unit
from deepfake.crops.shards import open_crops
from deepfake.detector.hybrid import HybridDetector
from deepfake.params import load_params
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.compiling import compile_in
from deepfake.training.detection_losses import clean_step
from deepfake.training.fit import prepare_fit
from deepfake.training.loop import Task, run_fit

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


def test_compiled_training_has_the_losses_of_training_as_it_is(tmp_path: Path) -> None:
    def losses(mode: str) -> list[float]:
        torch.manual_seed(0)
        model = HybridDetector(PARAMS.detector.model_copy(update={"dropout": 0.0})).cuda()
        settings = PARAMS.baseline.model_copy(update={"epochs": 2, "steps": 3, "learning_rate": 1e-4})
        fit = prepare_fit(model.to(memory_format=torch.channels_last), settings)
        compile_in(fit.model, mode)
        x = torch.rand(8, 3, 80, 80, generator=torch.Generator().manual_seed(0)).cuda()
        batch = Batch(x, torch.tensor([0.0, 1] * 4).cuda(), [])
        task = Task(lambda _: [batch] * 3, clean_step(0.05), lambda _: {}, lambda _: ())
        run_fit(fit, task, settings, seed=1, state=tmp_path / f"{mode}.pt", log=lambda _: None)
        return [epoch["train/clean"] for epoch in fit.history]

    assert losses("reduce-overhead") == pytest.approx(losses(""), abs=0.02)


def test_pgd_stays_in_its_ball_and_breaks_the_same_crops_as_on_the_cpu(model: HybridDetector) -> None:
    x, y, seeds = torch.rand(8, 3, 80, 80), torch.ones(8), range(8)
    attack = PGD(8 / 255, steps=5)
    with torch.no_grad():
        expected = model(attack(model, x, y, seeds))
        x_adv = attack(model.cuda(), x.cuda(), y.cuda(), seeds)
        found = model(x_adv)
    assert (x_adv.cpu() - x).abs().max() <= 8 / 255 + 1e-6
    assert torch.allclose(found.cpu(), expected, atol=0.1), "signs of tiny gradients may differ"


def test_the_differentiable_jpeg_and_the_measures_agree_with_the_cpu() -> None:
    x = torch.rand(2, 3, 80, 80)
    once = differentiable_jpeg(x.cuda(), quality=50).cpu()
    assert (once - differentiable_jpeg(x, quality=50)).abs().mean() < 1e-3, "a level may round the other way"
    on_gpu = measure(x.cuda().clamp(0.1, 0.9), x.cuda(), 0.1)
    for name, values in vars(measure(x.clamp(0.1, 0.9), x, 0.1)).items():
        assert torch.allclose(getattr(on_gpu, name).cpu(), values, rtol=1e-3, atol=1e-4), name


def test_a_step_against_two_adversaries_in_bf16_has_finite_losses_and_gradients(model: HybridDetector) -> None:
    device = torch.device("cuda")
    adversaries = Adversaries(PARAMS.robust, PARAMS.unet, Opponents(), PerturbationUNet(16).to(device), eps=8 / 255)
    batch = Batch(torch.rand(4, 3, 80, 80, device=device), torch.tensor([0.0, 1, 0, 1], device=device), [])
    model.cuda().train()
    with torch.autocast("cuda", torch.bfloat16):
        losses = adversaries.step(model, batch)
    torch.stack(list(losses.values())).sum().backward()
    assert losses.keys() == {"clean", "pgd", "unet"}
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
