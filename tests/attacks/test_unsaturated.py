"""Attacks on a detector whose logit a LayerNorm bounds."""

import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from toy_detectors import EPS, Bounded, draw_bounded

from deepfake.attacks.apgd import APGD
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack, ascent
from deepfake.attacks.unsaturated import Unsaturated, unsaturated

Crops = tuple[Tensor, Tensor, Sequence[int]]


@pytest.fixture
def bounded() -> Bounded:
    return Bounded().eval()


@pytest.fixture
def fakes() -> Crops:
    x = draw_bounded(6)
    return x, torch.ones(6), list(range(6))


@pytest.mark.parametrize("attack", [PGD(EPS, 40), APGD(EPS, 40)], ids=["pgd", "apgd"])
def test_it_finds_the_way_that_the_bound_hides(attack: Attack, bounded: Bounded, fakes: Crops) -> None:
    with torch.no_grad():
        assert (bounded(fakes[0]) > 2.8).all(), "close to the bound, which is the square root of 8"
        stuck, free = (bounded(one(bounded, *fakes)) for one in (attack, Unsaturated(attack)))
    assert (stuck > 1).all()
    assert (free < -1).all()


def test_the_twin_has_the_same_logits_and_the_same_weights(bounded: Bounded, fakes: Crops) -> None:
    nn.init.uniform_(bounded.norm.weight, 0.5, 2)
    nn.init.uniform_(bounded.norm.bias)
    twin = unsaturated(bounded)
    assert torch.allclose(twin(fakes[0]), bounded(fakes[0]), atol=1e-5)
    assert {id(p) for p in twin.parameters()} == {id(p) for p in bounded.parameters()}
    assert type(bounded.norm) is nn.LayerNorm


def test_a_norm_without_weights_is_one_too(bounded: Bounded, fakes: Crops) -> None:
    bounded.norm = nn.LayerNorm(4, elementwise_affine=False)
    assert torch.allclose(unsaturated(bounded)(fakes[0]), bounded(fakes[0]), atol=1e-5)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_its_gradient_is_that_of_a_constant_scale_on_the_way_out_and_else_the_true_one(
    label: float, bounded: Bounded, fakes: Crops
) -> None:
    x, y, model = fakes[0].double(), torch.full((6,), label), copy.deepcopy(bounded).double()
    (value, true), (_, found) = ascent(model, x, y), ascent(unsaturated(model), x, y)
    with torch.no_grad():
        scale = (model.features_of(x) @ model.apart).std(1, unbiased=False)
    constant = ascent(lambda x: model.logit(model.features_of(x) @ model.apart).squeeze(1) / scale, x, y)[1]  # type: ignore[arg-type]
    assert (value < 0).all() == bool(label), "a real has reached the attacker's side of the bound"
    assert not torch.allclose(true, constant, rtol=0.1)
    assert torch.allclose(found, constant if label else true, rtol=1e-3)


def test_only_the_last_norm_passes_gradients_otherwise() -> None:
    model = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 4), nn.Sequential(nn.LayerNorm(4)), nn.Linear(4, 1))
    kinds = [type(module).__name__ for module in unsaturated(model).modules()]
    assert kinds == ["Sequential", "LayerNorm", "Linear", "Sequential", "_UnboundedNorm", "LayerNorm", "Linear"]


def test_a_detector_without_a_norm_is_attacked_as_it_is(trained: nn.Module, crops: Crops) -> None:
    assert unsaturated(trained) is trained
    assert torch.equal(Unsaturated(PGD(EPS))(trained, *crops), PGD(EPS)(trained, *crops))


def test_it_keeps_the_budget_and_leaves_the_model_as_it_was(bounded: Bounded, fakes: Crops) -> None:
    bounded.train()
    x_adv = Unsaturated(APGD(EPS, 5))(bounded, *fakes)
    assert 0.9 * EPS < (x_adv - fakes[0]).abs().max() <= EPS + 1e-6
    assert all(module.training for module in bounded.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in bounded.parameters())
