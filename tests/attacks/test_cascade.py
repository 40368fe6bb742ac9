"""A cascade: attacks in turn, each on what still stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor, nn
from toy_detectors import EPS, Small, draw_crops, objective_of

from deepfake.attacks.cascade import Cascade
from deepfake.attacks.comparators import RandomNoise
from deepfake.attacks.pgd import PGD, fgsm
from deepfake.attacks.protocol import Attack
from deepfake.attacks.square import Square

SEEDS = list(range(100, 124))


@dataclass
class Recording:
    """An attack that notes whom it was asked to attack."""

    attack: Attack
    seeds: list[int] = field(default_factory=list)

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        self.seeds += seeds
        return self.attack(model, x, y, seeds)


def test_where_nothing_falls_it_is_the_best_of_all(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    attacks: list[Attack] = [fgsm(EPS / 16), RandomNoise(EPS), Square(EPS, queries=60)]
    values = torch.stack([objective_of(trained, attack(trained, x, y, SEEDS), y) for attack in attacks])
    assert len(values.argmax(dim=0).unique()) > 1, "the best must not be the same one everywhere"
    best = objective_of(trained, Cascade(attacks, inf)(trained, x, y, SEEDS), y)
    assert torch.allclose(best, values.amax(dim=0), atol=1e-5)


def test_what_has_fallen_is_attacked_no_further_and_what_stands_keeps_its_seed(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    weak, strong = RandomNoise(EPS), Recording(PGD(EPS))
    after_weak = objective_of(trained, weak(trained, x, y, SEEDS), y)
    fallen = after_weak.median().item()
    x_adv = Cascade([weak, strong], fallen)(trained, x, y, SEEDS)
    stands = after_weak < fallen
    assert strong.seeds == [seed for seed, standing in zip(SEEDS, stands.tolist(), strict=True) if standing]
    assert 0 < len(strong.seeds) < 24
    assert torch.equal(x_adv[~stands], weak(trained, x, y, SEEDS)[~stands])
    assert (objective_of(trained, x_adv, y)[stands] > after_weak[stands]).all()


def test_what_is_wrong_from_the_start_is_left_as_it_is(trained: Small) -> None:
    x, y = draw_crops(24, seed=7)
    never = Recording(PGD(EPS))
    assert torch.equal(Cascade([never], -inf)(trained, x, y, SEEDS), x)
    assert not never.seeds
