"""The interval of a rate is Wilson's."""

import pytest

from deepfake.metrics.intervals import rate_interval


def test_known_intervals_of_rates() -> None:
    newcombe = {  # Newcombe (1998), table I, method 3
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for counts, bounds in newcombe.items():
        assert rate_interval(*counts) == pytest.approx(bounds, abs=5e-5)


def test_hits_and_misses_are_mirror_images() -> None:
    low, high = rate_interval(3, 17)
    assert rate_interval(14, 17) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("counts", [(0, 0), (5, 4), (-1, 4)])
def test_impossible_counts_have_no_rate(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="have no rate"):
        rate_interval(*counts)
