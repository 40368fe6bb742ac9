"""What a branch changes in the results reads well, and says what is missing."""

import math

import pytest

from deepfake.metrics.intervals import Interval
from deepfake.reporting.comparison import compare
from deepfake.reporting.pull_request import Change, Pictures, metric_lines, render
from deepfake.reporting.revision import Revision
from deepfake.reporting.revision_pictures import PicturePair
from deepfake.reporting.wording import metric_title, picture_title

CLEAN, BLIND = "robust.train.clean.partial_auc", "faceless.train.face_masked.auc"
BEFORE = {CLEAN: 0.8, BLIND: 0.5, "baseline.train.clean.auc": 0.9}
INTERVALS = {CLEAN: Interval(0.7, 0.9), BLIND: Interval(0.4, 0.6)}
MAIN, HEAD = Revision("main", "a" * 40), Revision("HEAD", "b" * 40)


def text(now: dict[str, float], pictures: tuple[PicturePair, ...] = ()) -> str:
    """The Markdown of a branch that changed some numbers."""
    lines = metric_lines(compare(BEFORE, now, INTERVALS), {CLEAN: Interval(0.1, 0.3)}, [])
    params = {"robust.epochs": (12, 16), "evaluate.jpeg_quality": ([90, 50], None), "attack.eps": (None, "4/255")}
    return render(Change(MAIN, HEAD, [], lines, [], params, [Pictures("in-domain", pictures, pictures)]))


def row(markdown: str, name: str) -> str:
    (line,) = [line for line in markdown.splitlines() if line.startswith(f"| {name} |")]
    return line.replace("\N{NO-BREAK SPACE}", " ")


def test_a_metric_is_told_in_words_with_both_intervals_an_arrow_and_a_verdict() -> None:
    told = text({**BEFORE, CLEAN: 0.2})
    line = "| partial AUC: clean | 0.800 (0.700 to 0.900) | 0.200 (0.100 to 0.300) | ↓ −0.600 | **worse** |"
    assert row(told, "partial AUC: clean") == line
    assert "1 worse, 2 the same." in told
    assert told.index("**robust detector, in-domain**") < told.index("2 more that are the same")


@pytest.mark.parametrize(
    ("metric", "value", "verdict"),
    [
        (CLEAN, 0.95, "**better**"),
        (CLEAN, 0.75, "within the interval"),
        (BLIND, 0.7, "**worse**"),
        (BLIND, 0.3, "**worse**"),
        ("baseline.train.clean.auc", 0.8, "**worse without an interval**"),
        ("robust.gradient_masking_flags", 1.0, "new"),
    ],
)
def test_better_is_up_but_for_what_sees_no_face_nearer_to_chance(metric: str, value: float, verdict: str) -> None:
    assert row(text({**BEFORE, metric: value}), metric_title(metric)[1]).endswith(f" {verdict} |")


def test_what_is_gone_is_shown_and_bounds_of_a_difference_are_no_metrics() -> None:
    bound = "robust_minus_baseline.train.worst_eps2.auc_low"
    (line,) = metric_lines(compare({"train.coverage": 1.0, bound: 0.1}, {bound: 0.2}, {}), {}, [])
    assert (line.judgement, line.change, line.name) == ("gone", "–", "videos in which a face was found")
    assert math.isnan(line.now.value)


def test_a_base_without_metrics_or_pictures_is_said_to_have_none() -> None:
    lines = metric_lines(compare({}, BEFORE, {}), {}, [])
    empty = [Pictures("in-domain", [PicturePair("ROC curves", "", "roc.png", same=False)], [])]
    told = render(Change(MAIN, HEAD, [], lines, [], {}, empty))
    assert "main has no headline metrics: there is nothing to compare with." in told
    assert "| ROC curves<br>not there | ROC curves<br><img" in told
    assert "None changed." in told


def test_parameters_are_shown_as_they_are_written() -> None:
    told = text(BEFORE)
    assert row(told, "robust.epochs") == "| robust.epochs | 12 | 16 |"
    assert row(told, r"evaluate.jpeg\_quality") == r"| evaluate.jpeg\_quality | \[90, 50\] | – |"
    assert row(told, "attack.eps") == "| attack.eps | – | 4/255 |"


def test_a_picture_that_did_not_change_is_shown_once_and_names_cannot_break_out() -> None:
    pair = PicturePair('<b>" | x', "a.png", "b.png", same=True)
    told = text(BEFORE, (pair,))
    assert told.count("<img") == 2, "among the curves and among the panels"
    assert "a.png" not in told
    assert "<b>" not in told.replace(r"\<b\>", "")
    assert told.count('alt="&lt;b&gt;&#34; | x"') == 2


def test_names_of_pictures_and_metrics_without_a_title_stay() -> None:
    assert (picture_title("roc"), picture_title("01_FaceSwap")) == ("ROC curves", "FaceSwap, face 1")
    assert metric_title("robust.train.worst_eps2.auc") == ("robust detector, in-domain", "AUC: worst case at 2/255")
    assert metric_title("a.b.c.d") == ("a, b", "d: c")
