"""The checks for masked gradients: quiet on honest detectors, loud on those that hide their gradient."""

import itertools

import pytest
from torch import Tensor, nn
from toy_detectors import EPS, Bounded, Linear, Small, draw_bounded, draw_crops, train_small

from deepfake.evaluation.sanity import LIMITS, Suspect, sanity_checks

CURVE = (EPS / 4, EPS)


class Rounding(nn.Module):
    """Looks at a crop through a staircase: no gradient anywhere, and yet it can be fooled."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model((x * 24).round() / 24)


class Flickering(nn.Module):
    """Says something else every time."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.count = model, itertools.count()

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) + 0.1 * next(self.count)


@pytest.fixture(scope="module")
def model() -> Small:
    return train_small()


def raised(
    model: nn.Module, surrogate: nn.Module | None = None, *, undefended: bool = False, workers: int = 2
) -> dict[str, int]:
    x, y = draw_crops(32, seed=5)
    suspect = Suspect(model, x[y == 0], x[y == 1], list(range(16)), surrogate, undefended)
    return {check.name: check.raised for check in sanity_checks(suspect, EPS, CURVE, workers=workers)}


def test_an_honest_detector_raises_nothing(model: Small) -> None:
    checks = raised(model, undefended=True)
    assert checks.keys() == LIMITS.keys() - {"transfer_wins", "adaptive_loses"}
    assert not any(checks.values()), checks


def test_transfer_is_checked_where_there_is_another_detector(model: Small) -> None:
    assert raised(model, Linear())["transfer_wins"] == 0


def test_a_staircase_is_found_out(model: Small) -> None:
    checks = raised(Rounding(model), model)
    assert checks["zero_gradients"] == 1
    assert checks["square_wins"] == 1
    assert checks["auc_at_32_255"] == 1
    assert checks["transfer_wins"] == 1


def test_the_checks_see_past_a_bound_that_hides_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model, fakes = Bounded().eval(), draw_bounded(6)
    reals = fakes - 2 * EPS * model.features[0].detach().view(fakes.shape[1:]).sign()
    suspect = Suspect(model, reals, fakes, list(range(6)), None, undefended=False)

    def flags() -> dict[str, int]:
        return {check.name: check.raised for check in sanity_checks(suspect, EPS, CURVE, workers=1)}

    assert not any(flags().values())
    monkeypatch.setattr("deepfake.evaluation.sanity.Unsaturated", lambda attack: attack)
    assert flags()["auc_at_32_255"] == 1


def test_randomness_is_found_out(model: Small) -> None:
    assert raised(Flickering(model))["forward_differs"] == 1


def test_a_baseline_that_withstands_pgd_is_suspicious() -> None:
    linear = nn.Linear(768, 1)
    nn.init.zeros_(linear.weight)
    constant = nn.Sequential(nn.Flatten(), linear, nn.Flatten(0))
    assert raised(constant, undefended=True)["undefended_auc"] == 1
