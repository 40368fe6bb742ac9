"""The gate fails where the robust detector declined beyond its tolerance, and lets through what a commit accepts."""

import math

import pytest

from deepfake.errors import DataError
from deepfake.metrics.intervals import Interval
from deepfake.reporting.comparison import compare
from deepfake.reporting.gate import TOLERANCE, Ruling, read_acceptances, rule

CLEAN, LEARNED = "robust.train.clean.partial_auc", "robust.train.unet_jpeg50.partial_auc"
WORST, FLAGS = "robust.train.worst_eps2.auc", "robust.gradient_masking_flags"
BASE = {CLEAN: 0.8, LEARNED: 0.4, WORST: 0.85, FLAGS: 0.0, "robust.train.worst_eps8.auc": 0.3}
INTERVALS = {CLEAN: Interval(0.7, 0.9), LEARNED: Interval(0.3, 0.5)}


def rulings(now: dict[str, float] | None = None, accepted: dict[str, str] | None = None) -> dict[str, Ruling]:
    """Rulings by metric where some of the base's numbers became others; one that became NaN is gone."""
    present = {key: value for key, value in {**BASE, **(now or {})}.items() if not math.isnan(value)}
    return {each.metric: each for each in rule(compare(BASE, present, INTERVALS), accepted or {})}


def failing(clean: float = 0.8, learned: float = 0.4, worst: float = 0.85, flags: float = 0.0) -> set[str]:
    now = {CLEAN: clean, LEARNED: learned, WORST: worst, FLAGS: flags}
    return {metric for metric, ruling in rulings(now).items() if not ruling.passes}


def test_only_the_headline_of_the_robust_detector_is_guarded() -> None:
    assert set(rulings()) == {CLEAN, LEARNED, WORST, FLAGS}


def test_what_stays_or_rises_passes() -> None:
    assert not failing()
    assert not failing(clean=1.0, learned=1.0, worst=1.0)


@pytest.mark.parametrize(("value", "passes"), [(0.7, True), (0.6999, False)])
def test_a_score_may_fall_to_where_the_interval_of_the_base_begins(value: float, passes: bool) -> None:
    assert failing(clean=value) == (set() if passes else {CLEAN})


@pytest.mark.parametrize(("value", "passes"), [(0.8, True), (0.7999, False)])
def test_without_an_interval_a_score_may_fall_by_the_fixed_tolerance(value: float, passes: bool) -> None:
    assert BASE[WORST] - TOLERANCE == pytest.approx(0.8)
    assert failing(worst=value) == (set() if passes else {WORST})


def test_any_raised_flag_fails_also_where_the_base_has_more() -> None:
    assert failing(flags=1.0) == {FLAGS}
    assert [each.passes for each in rule(compare({FLAGS: 2.0}, {FLAGS: 1.0}, {}), {})] == [False]


def test_a_guarded_metric_cannot_be_dodged_by_leaving_it_out() -> None:
    assert failing(learned=math.nan) == {LEARNED}
    assert failing(flags=math.nan) == {FLAGS}


def test_a_metric_that_the_base_does_not_have_has_nothing_to_fall_from() -> None:
    assert all(each.passes for each in rule(compare({}, BASE, {}), {}))


def test_the_line_names_metric_values_and_tolerance() -> None:
    assert str(rulings({CLEAN: 0.5})[CLEAN]) == (
        "gate fails: robust.train.clean.partial_auc 0.8 → 0.5, "
        "tolerance: at least 0.7 (where the 95 % interval of the base begins)"
    )


def test_an_accepted_decline_passes_and_says_why_and_who_accepted_it() -> None:
    accepted = read_acceptances([("abc1234", f"{CLEAN} buys .2 in the worst case"), ("def", f"{WORST} unused")])
    ruled = rulings({CLEAN: 0.5}, accepted)
    assert all(ruling.passes for ruling in ruled.values())
    assert str(ruled[CLEAN]).startswith("gate accepted: ")
    assert str(ruled[CLEAN]).endswith("; buys .2 in the worst case (abc1234)")
    assert "unused" not in str(ruled[WORST]), "it did not decline"


def test_accepting_without_a_reason_or_what_is_not_guarded_is_named() -> None:
    with pytest.raises(DataError, match=r"commit abc1234: .* gives no reason"):
        read_acceptances([("abc1234", CLEAN)])
    with pytest.raises(DataError, match=r"robust\.train\.clean\.auc is not guarded; one of these .*partial_auc"):
        rulings(accepted={"robust.train.clean.auc": "a slip"})
