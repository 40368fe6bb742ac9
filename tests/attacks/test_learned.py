"""The learned attacker: it learns, its losses shape it, and its file is safe."""

import pickle
from pathlib import Path

import pytest
import torch
from toy_detectors import EPS, UNET, Linear, Small, draw_crops, fit_unet, objective_of

from deepfake.attacks.ball import uniform_noise
from deepfake.attacks.learned import Learned, load_attacker, save_attacker
from deepfake.attacks.losses import high_frequency_power, total_variation
from deepfake.attacks.unet import PerturbationUNet
from deepfake.errors import CheckpointError


def test_its_gradient_is_that_of_the_detector_and_not_of_its_regularisers_alone(
    trained: Small, unet_against_trained: PerturbationUNet
) -> None:
    """Failure 1 of the reference: a clip without gradient left nothing but regularisers, and the attack faded to 0."""
    x, y = draw_crops(64, seed=5)
    x_adv = Learned(unet_against_trained, EPS)(trained, x, y, ())
    size = (x_adv - x).abs().mean()
    noise = x + uniform_noise(x, 1.0, list(range(64))).sign() * size
    attacked, clean, noisy = (objective_of(trained, crops, y).mean() for crops in (x_adv, x, noise))
    assert attacked > clean + 2
    assert attacked > noisy + 2


def test_on_a_linear_detector_of_one_sign_it_reaches_the_optimum() -> None:
    linear = Linear()
    with torch.no_grad():
        linear.weight.abs_().mul_(0.01)  # the whole budget moves it by less than the margin: no gradient fades
        linear.bias.sub_(0.5 * linear.weight.sum())
    x, y = draw_crops(16, seed=5)
    x_adv = Learned(fit_unet(linear), EPS)(linear, x, y, ())
    optimum = (x - EPS * (2 * y - 1).view(-1, 1, 1, 1)).clamp(0, 1)
    assert (x_adv - optimum).abs().mean() < 0.02 * EPS


@pytest.mark.parametrize("eps", [EPS, EPS / 4])
def test_each_weight_that_is_switched_on_shapes_the_perturbation(trained: Small, eps: float) -> None:
    """Failure 9 of the reference: a weight on an unnormalised loss was numerically nothing."""
    x, y = draw_crops(32, seed=5)
    shapes = {}
    for name in ("neither", "total_variation", "frequency"):
        params = UNET if name == "neither" else UNET.model_copy(update={name: 20.0})
        delta = Learned(fit_unet(trained, params, eps=eps), eps)(trained, x, y, ()) - x
        shapes[name] = (total_variation(delta, eps).item(), high_frequency_power(delta, eps).item())
    assert shapes["total_variation"][0] < 0.8 * shapes["neither"][0]
    assert shapes["frequency"][1] < 0.8 * shapes["neither"][1]


def test_fakes_and_reals_are_perturbed_differently(unet_against_trained: PerturbationUNet, trained: Small) -> None:
    x, _ = draw_crops(4, seed=5)
    attack = Learned(unet_against_trained, EPS)
    as_fakes, as_reals = (attack(trained, x, y, ()) for y in (torch.ones(4), torch.zeros(4)))
    assert (as_fakes - as_reals).abs().mean() > EPS / 4


@pytest.mark.parametrize("size", [32, 36, 50])
def test_any_even_size_works(size: int) -> None:
    x = torch.rand(2, 3, size, size)
    delta = PerturbationUNet(8)(x, torch.tensor([0.0, 1.0]))
    assert delta.shape == x.shape
    assert delta.abs().max() <= 1


def test_a_saved_attacker_attacks_the_same_and_its_bytes_are_reproducible(
    unet_against_trained: PerturbationUNet, trained: Small, tmp_path: Path
) -> None:
    for name in ("a.pt", "b.pt"):
        save_attacker(tmp_path / name, unet_against_trained, EPS)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    loaded = load_attacker(tmp_path / "a.pt", torch.device("cpu"))
    x, y = draw_crops(4, seed=5)
    assert loaded.eps == EPS
    assert torch.equal(loaded(trained, x, y, ()), Learned(unet_against_trained, EPS)(trained, x, y, ()))


def test_a_file_that_is_no_attacker_is_refused_by_name(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("ran",)

    torch.save({"format": "other"}, tmp_path / "other.pt")
    torch.save({"format": "deepfake-attacker-1", "bomb": Bomb()}, tmp_path / "bomb.pt", pickle_module=pickle)
    torch.save({"format": "deepfake-attacker-1", "width": 8, "eps": 0.1, "weights": {}}, tmp_path / "empty.pt")
    (tmp_path / "text.pt").write_text("hello")
    for name in ("other", "bomb", "empty", "text", "missing"):
        with pytest.raises(CheckpointError, match=f"{name}.pt: "):
            load_attacker(tmp_path / f"{name}.pt", torch.device("cpu"))
