"""What Auto-PGD adds to PGD, and what Square finds without a gradient."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from toy_detectors import EPS, Linear, Small, draw_crops, objective_of

from deepfake.attacks.apgd import APGD, checkpoints
from deepfake.attacks.pgd import PGD
from deepfake.attacks.square import Square

SEEDS = list(range(24))


class Staircase(nn.Module):
    """No gradient, and yet it can be fooled."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model((x * 64).round() / 64)


class Ridge(nn.Module):
    """An objective for fakes with its top inside the ball, where steps of a fixed length jump to and fro."""

    def forward(self, x: Tensor) -> Tensor:
        return ((x - 0.5 - EPS / 3) / EPS).square().mean(dim=(1, 2, 3))


def test_checkpoints_are_the_papers() -> None:
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints(1) == [1]


def test_apgd_homes_in_where_pgd_jumps_to_and_fro() -> None:
    x, y, seeds = torch.full((8, 3, 4, 4), 0.5), torch.ones(8), range(8)
    jumping = objective_of(Ridge(), PGD(EPS, steps=100, step_size=2.0)(Ridge(), x, y, seeds), y)
    homing = objective_of(Ridge(), APGD(EPS, steps=100)(Ridge(), x, y, seeds), y)
    assert (homing > -0.01).all()
    assert (jumping < -0.1).all()


def test_apgd_is_as_strong_as_pgd_with_as_many_steps_and_a_restart(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    pgd, apgd = (
        objective_of(trained, attack(trained, x, y, SEEDS), y)
        for attack in (PGD(EPS, steps=50, restarts=2), APGD(EPS, steps=50))
    )
    assert (apgd >= pgd - 1e-3).all()


def test_more_restarts_of_apgd_are_never_weaker(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    once, often = (
        objective_of(trained, APGD(EPS, steps=0, restarts=restarts)(trained, x, y, SEEDS), y) for restarts in (1, 9)
    )
    assert (often >= once).all()
    assert often.sum() > once.sum()


def test_square_nears_the_optimum_of_a_linear_detector_with_the_queries(linear: Linear) -> None:
    x, y = draw_crops(24, seed=7)
    sign = linear.weight.sign().view(x.shape[1:])
    optimum = (x - EPS * (2 * y - 1).view(-1, 1, 1, 1) * sign).clamp(0, 1)
    clean, best = objective_of(linear, x, y), objective_of(linear, optimum, y)
    shares = [
        (objective_of(linear, Square(EPS, queries)(linear, x, y, SEEDS), y) - clean) / (best - clean)
        for queries in (1, 100, 300, 1000)
    ]
    assert all((more > fewer).all() for fewer, more in pairwise(shares))
    assert shares[-1].min() > 0.5
    assert shares[-1].max() <= 1


def test_square_needs_no_gradient(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    model = Staircase(trained)
    blind = objective_of(model, APGD(EPS, steps=20)(model, x, y, SEEDS), y)
    seeing = objective_of(model, Square(EPS, queries=500)(model, x, y, SEEDS), y)
    assert seeing.mean() > blind.mean() + 1


def test_squares_shrink_on_a_schedule_that_stretches_with_the_queries() -> None:
    """p = 0.8, halved after 10, 50, 200, 500, ... of 10,000 queries (Andriushchenko et al. 2020, section 4)."""
    paper, short = Square(EPS, queries=10_000), Square(EPS, queries=1000)
    for query, halvings in ((0, 0), (10, 0), (11, 1), (51, 2), (201, 3), (501, 4), (9999, 9)):
        assert paper.side(query, 100) == max(1, round(100 * (0.8 / 2**halvings) ** 0.5))
    assert [short.side(query, 100) for query in range(1000)] == [paper.side(10 * query, 100) for query in range(1000)]
