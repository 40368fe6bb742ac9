"""Temperature and calibration error agree with what the logits were made from."""

import numpy as np
import pytest

from deepfake.errors import DataError
from deepfake.metrics.calibration import (
    TEMPERATURE_RANGE,
    expected_calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)
from deepfake.metrics.ranking import Floats


def overconfident(temperature: float, size: int = 40_000) -> tuple[Floats, Floats]:
    """Logits that are `temperature` times what their labels justify, classes evenly likely."""
    generator = np.random.default_rng(0)
    honest = generator.normal(scale=1.5, size=size)
    return honest * temperature, (generator.random(size) < probabilities(honest, 1)).astype(float)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_logits_is_found(temperature: float) -> None:
    assert fit_temperature(*overconfident(temperature)) == pytest.approx(temperature, rel=0.05)


def test_the_temperature_minimises_the_balanced_log_likelihood() -> None:
    logits, labels = overconfident(2.0, size=300)
    logits, labels = logits[labels.cumsum() < 50], labels[labels.cumsum() < 50]

    def loss(temperature: float) -> float:
        signed = np.where(labels == 1, -logits, logits) / temperature
        costs = np.logaddexp(0, signed)
        return float(costs[labels == 1].mean() + costs[labels == 0].mean())

    best = min(np.geomspace(*TEMPERATURE_RANGE, 10_001), key=loss)
    assert fit_temperature(logits, labels) == pytest.approx(best, rel=1e-3)


def test_repeating_one_class_does_not_move_the_temperature() -> None:
    logits, labels = overconfident(2.0, size=500)
    repeats = np.where(labels == 1, 4, 1)
    assert fit_temperature(np.repeat(logits, repeats), np.repeat(labels, repeats)) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-9
    )


def test_separable_and_inverted_logits_end_at_the_bounds() -> None:
    low, high = TEMPERATURE_RANGE
    assert fit_temperature([-1.0, 1.0], [0, 1]) == pytest.approx(low)
    assert fit_temperature([1.0, -1.0], [0, 1]) == pytest.approx(high)


def test_no_temperature_from_one_class() -> None:
    with pytest.raises(DataError, match="both classes"):
        fit_temperature([0.1, 0.2], [1, 1])


def test_probabilities_are_the_sigmoid_and_do_not_overflow() -> None:
    assert probabilities([0.0, np.log(3), 4000.0, -4000.0], 1) == pytest.approx([0.5, 0.75, 1.0, 0.0])
    assert probabilities([np.log(3) * 2], 2) == pytest.approx([0.75])


def test_calibration_error_of_a_constant_is_its_distance_from_one_half() -> None:
    assert expected_calibration_error([0.8] * 6, [1, 0, 0, 0, 0, 0]) == pytest.approx(0.3)


def test_calibration_error_of_sure_answers() -> None:
    assert expected_calibration_error([0.0, 1.0], [0, 1]) == pytest.approx(0.0)
    assert expected_calibration_error([1.0, 0.0], [0, 1]) == pytest.approx(1.0)


def test_honest_probabilities_have_a_small_error_and_overconfident_ones_a_large_one() -> None:
    logits, labels = overconfident(4.0)
    assert expected_calibration_error(probabilities(logits, 4), labels) < 0.01
    assert expected_calibration_error(probabilities(logits, 1), labels) > 0.1


def test_bins_hold_every_item_once() -> None:
    logits, labels = overconfident(1.0, size=777)
    bins = reliability(probabilities(logits, 1), labels)
    assert sum(part.items for part in bins) == 777
    assert sum(part.weight for part in bins) == pytest.approx(1.0)
    assert [part.confidence for part in bins] == sorted(part.confidence for part in bins)
