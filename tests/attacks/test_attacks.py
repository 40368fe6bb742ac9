"""What holds for every attack, and what each must reach on a detector whose optimum is known."""

import copy
from collections.abc import Sequence
from functools import partial
from weakref import ReferenceType, ref

import pytest
import torch
from torch import Tensor, nn

from deepfake.attacks.adaptive import Adaptive
from deepfake.attacks.apgd import APGD
from deepfake.attacks.ball import uniform_noise
from deepfake.attacks.comparators import RandomNoise, Transfer
from deepfake.attacks.learned import Learned
from deepfake.attacks.pgd import PGD, fgsm
from deepfake.attacks.protocol import Attack
from deepfake.attacks.square import Square
from deepfake.attacks.stand_ins import straight_through
from deepfake.attacks.unet import PerturbationUNet
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg

EPS = 8 / 255
NAMES = (
    "pgd", "pgd_restarts", "pgd_last", "fgsm", "noise", "transfer", "learned",
    "apgd", "square", "adaptive",
)  # fmt: skip
Crops = tuple[Tensor, Tensor, Sequence[int]]


@pytest.fixture
def attacks(trained: nn.Module, unet_against_trained: PerturbationUNet) -> dict[str, Attack]:
    return {
        "pgd": PGD(EPS, steps=10),
        "pgd_restarts": PGD(EPS, steps=5, restarts=3),
        "pgd_last": PGD(EPS, steps=10, keep_best=False),
        "fgsm": fgsm(EPS),
        "noise": RandomNoise(EPS, tries=5),
        "transfer": Transfer(copy.deepcopy(trained), PGD(EPS, steps=10)),
        "learned": Learned(unet_against_trained, EPS),
        "apgd": APGD(EPS, steps=20, restarts=2),
        "square": Square(EPS, queries=500),
        "adaptive": Adaptive(PGD(EPS), EPS, 10, [partial(differentiable_jpeg, quality=q) for q in (50, 70)]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_stays_within_the_ball_around_the_clean_crop_and_within_the_cube(
    name: str, attacks: dict[str, Attack], trained: nn.Module, crops: Crops
) -> None:
    x, y, seeds = crops
    assert (x == 0).any(), "the cube must matter"
    x_adv = attacks[name](trained, x, y, seeds)
    assert x_adv.shape == x.shape
    assert (x_adv - x).abs().max() <= EPS + 1e-6
    assert (x_adv - x).abs().max() >= 0.9 * EPS, "an attack uses its budget"
    assert x_adv.min() >= 0
    assert x_adv.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_it_moves_logits_to_the_wrong_side_further_than_noise_of_the_same_norm(
    name: str, attacks: dict[str, Attack], trained: nn.Module, crops: Crops
) -> None:
    x, y, seeds = crops
    clean = rate(trained, x, y)
    attacked = rate(trained, attacks[name](trained, x, y, seeds), y)
    noisy = rate(trained, (x + uniform_noise(x, 1.0, seeds).sign() * EPS).clamp(0, 1), y)
    if name == "noise":
        assert (attacked >= clean).all()
        assert attacked.mean() > noisy.mean(), "the best of five corners beats any one"
    else:
        margin = 2.0
        assert attacked.mean() > clean.mean() + margin
        assert attacked.mean() > noisy.mean() + margin


@pytest.mark.parametrize("name", NAMES)
def test_modes_parameters_and_gradients_are_untouched(
    name: str, attacks: dict[str, Attack], trained: nn.Module, crops: Crops
) -> None:
    model = copy.deepcopy(trained).train()
    frozen_part, dropout = next(model.parameters()), model.layers[6]  # type: ignore[index]
    frozen_part.requires_grad_(False)
    dropout.eval()  # type: ignore[union-attr]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    attacks[name](model, *crops)
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == wanted
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", NAMES)
def test_a_row_does_not_depend_on_the_rows_beside_it(
    name: str, attacks: dict[str, Attack], trained: nn.Module, crops: Crops
) -> None:
    x, y, seeds = crops
    model = copy.deepcopy(trained).double()  # so that the sign of a gradient does not hang on rounding
    attack = attacks[name]
    if isinstance(attack, Transfer):
        attack = Transfer(model, attack.attack)
    if isinstance(attack, Learned):
        attack = Learned(copy.deepcopy(attack.unet).double(), EPS)
    whole = attack(model, x.double(), y.double(), seeds)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    parts = [
        attack(model, x[rows].double(), y[rows].double(), [seeds[row] for row in rows]) for rows in order.split([5, 19])
    ]
    assert torch.allclose(torch.cat(parts), whole[order], atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_again_and_leaves_the_global_generator_alone(
    name: str, attacks: dict[str, Attack], trained: nn.Module, crops: Crops
) -> None:
    torch.manual_seed(1)
    first = attacks[name](trained, *crops)
    drawn = torch.rand(())
    torch.manual_seed(1)
    assert torch.rand(()) == drawn
    assert torch.equal(attacks[name](trained, *crops), first)


@pytest.mark.parametrize(
    "attack",
    [
        PGD(EPS), PGD(EPS, steps=40, restarts=2), PGD(EPS, keep_best=False), fgsm(EPS),
        APGD(EPS, steps=1), APGD(EPS, steps=20, restarts=2),
        Adaptive(PGD(EPS), EPS, 4, [torch.clone, straight_through(torch.round)]),
    ],
    ids=lambda attack: type(attack).__name__,
)  # fmt: skip
def test_on_a_linear_detector_it_reaches_the_optimum(attack: Attack, linear: nn.Module, crops: Crops) -> None:
    x, y, seeds = crops
    x_adv = attack(linear, x, y, seeds)
    assert torch.allclose(x_adv, optimum(linear, x, y), atol=1e-6)
    assert torch.allclose(Transfer(linear, attack)(nn.Identity(), x, y, seeds), x_adv)


def test_noise_on_a_linear_detector_is_the_best_of_its_corners(linear: nn.Module, crops: Crops) -> None:
    x, y, seeds = crops
    few, many = (rate(linear, RandomNoise(EPS, tries)(linear, x, y, seeds), y) for tries in (2, 20))
    assert (many >= few).all()
    assert (many <= rate(linear, optimum(linear, x, y), y) + 1e-4).all()
    assert many.mean() > few.mean()


def test_pgd_returns_the_best_point_of_its_way_and_never_a_worse_one_than_the_clean_crop(
    trained: nn.Module, crops: Crops
) -> None:
    x, y, seeds = crops
    wild = {"eps": EPS, "steps": 3, "step_size": 2.0}  # every step leaps across the ball
    best = rate(trained, PGD(**wild)(trained, x, y, seeds), y)  # type: ignore[arg-type]
    last = rate(trained, PGD(**wild, keep_best=False)(trained, x, y, seeds), y)  # type: ignore[arg-type]
    assert (best >= last - 1e-6).all()
    assert (best >= rate(trained, x, y)).all()


@pytest.mark.parametrize("keep_best", [True, False])
def test_pgd_holds_no_point_of_its_way_longer_than_it_needs(keep_best: bool, crops: Crops) -> None:
    x, y, seeds = crops
    points: list[ReferenceType[Tensor]] = []
    most = 0

    class Watching(nn.Module):
        def forward(self, x_adv: Tensor) -> Tensor:
            nonlocal most
            points.append(ref(x_adv))
            most = max(most, sum(point() is not None for point in points))
            return x_adv.mean(dim=(1, 2, 3))

    PGD(EPS, steps=20, keep_best=keep_best)(Watching(), x, y, seeds)
    assert most < 6


def test_more_restarts_are_never_weaker(trained: nn.Module, crops: Crops) -> None:
    x, y, seeds = crops
    short = {"steps": 1, "step_size": 0.2}
    once, thrice = (
        rate(trained, PGD(EPS, restarts=restarts, **short)(trained, x, y, seeds), y)  # type: ignore[arg-type]
        for restarts in (1, 3)
    )
    assert (thrice >= once - 1e-6).all()
    assert thrice.sum() > once.sum()


def test_a_budget_of_zero_changes_nothing(trained: nn.Module, crops: Crops) -> None:
    assert torch.equal(PGD(0.0, steps=2)(trained, *crops), crops[0])


def test_restarts_without_the_best_point_are_refused() -> None:
    with pytest.raises(ValueError, match="restarts need keep_best"):
        PGD(EPS, restarts=2, keep_best=False)


def optimum(linear: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The crop of the ball that a linear detector gets most wrong: x - eps * sign(w) for a fake."""
    sign = linear.weight.sign().view(x.shape[1:])  # type: ignore[operator]
    return (x - EPS * (2 * y - 1).view(-1, 1, 1, 1) * sign).clamp(0, 1).detach()


def rate(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The objective of each row."""
    with torch.no_grad():
        return (1 - 2 * y) * model(x)
