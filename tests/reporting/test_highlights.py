"""The few lines that a reader sees first say what the full tables say, and count what speaks against the model too."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from deepfake.params import Params
from deepfake.reporting.conditions import parse_condition
from deepfake.reporting.highlights import AUC, TPR, highlights, overview
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.results import Results, compute_results
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.short_table import write_short_table


@pytest.fixture(scope="module")
def results(score_sets: list[ScoreSet], params: Params) -> Results:
    return compute_results(score_sets, params.report, params.seed)


def test_the_lines_are_clean_the_learned_attack_and_every_budget(results: Results) -> None:
    lines = list(highlights(results, "train"))
    assert [line.title for line in lines] == [
        "clean", "U-Net, then JPEG quality 50", "U-Net, then H.264 CRF 23",
        *(f"worst case at {eps}/255" for eps in (1, 2, 4, 8)),
    ]  # fmt: skip
    row = next(row for row in results.rows_of(results.score_sets[2], "video").values() if row.condition == "clean")
    assert lines[0].estimates[AUC]["robust"] == row.estimates["auc"]
    assert lines[0].estimates[TPR]["robust"] == row.estimates["tpr_at_1pct_fpr"]
    last = results.eps["baseline", "train"][-1]
    assert lines[-1].estimates == {
        AUC: {"baseline": last.worst, "robust": results.eps["robust", "train"][-1].worst},
        TPR: {"baseline": last.worst_tpr, "robust": results.eps["robust", "train"][-1].worst_tpr},
    }
    assert all([*line.gains] == ["baseline"] and line.gains["baseline"].metric == "auc" for line in lines)
    assert [line.is_attacked for line in lines] == [False] + [True] * 6, "below chance on clean videos, no attacker won"


def test_below_chance_is_where_every_model_ranks_worse_than_a_coin_by_its_interval(results: Results) -> None:
    line = next(highlights(results, "train"))
    assert not line.is_below_chance
    lost = {"baseline": Estimate(0.2), "robust": Estimate(0.45, 0.4, 0.49)}
    assert replace(line, estimates={AUC: lost}).is_below_chance
    assert not replace(line, estimates={AUC: lost | {"baseline": Estimate(0.5)}}).is_below_chance
    assert not replace(line, estimates={AUC: lost | {"robust": Estimate(0.45, 0.4, 0.51)}}).is_below_chance


def test_every_condition_is_counted_once_and_lost_ones_are_named(results: Results) -> None:
    pairs = [pair for pair in results.pairs if (pair.role, pair.metric) == ("train", "auc")]
    pairs = [pair for pair in pairs if "_eps" not in pair.condition]
    lost = replace(pairs[1], difference=Estimate(-0.2, -0.3, -0.1))
    untold = replace(pairs[2], difference=Estimate(0.2, math.nan, math.nan))
    changed = [lost if pair is pairs[1] else untold if pair is pairs[2] else pair for pair in results.pairs]
    tally = overview(replace(results, pairs=changed), "train").tallies["baseline"]
    assert tally.conditions == len(pairs)
    assert tally.better == sum(pair.verdict == "better" for pair in [*pairs[:1], *pairs[3:]])
    assert "JPEG quality 90" in tally.worse
    assert tally.untold == 1 + sum(pair.verdict == "no interval" for pair in pairs if pair is not pairs[2])
    assert tally.better + len(tally.worse) + tally.open + tally.untold == len(pairs)


def test_the_worst_attack_on_both_classes_is_the_one_with_the_lowest_auc(results: Results) -> None:
    both = overview(results, "train").both
    assert both is not None
    rows = results.rows_of(results.score_sets[2], "video").values()
    attacked = [row.estimates["auc"].value for row in rows if parse_condition(row.condition).both]
    assert (both.model, both.estimates["auc"].value) == ("robust", min(attacked))


def test_the_short_table_has_the_same_rows_of_every_dataset_and_says_how_it_was_measured(
    results: Results, params: Params, tmp_path: Path
) -> None:
    write_short_table(tmp_path / "summary.md", results, params)
    table, conditions = (tmp_path / "summary.md").read_text().rstrip("\n").split("\n\n")
    head, _, *rows = table.splitlines()
    assert head == "| videos | baseline AUC | robust AUC | baseline TPR at 1 % FPR | robust TPR at 1 % FPR |"
    titles = [line.title for line in highlights(results, "train")]
    assert [row.split(" | ")[0] for row in rows] == [
        f"| {role}, {title}" for role in ("in-domain", "cross-dataset") for title in titles
    ]
    assert all(re.fullmatch(r"\|[^|]+(\| [01]\.\d{3}( \([01]\.\d{3} to [01]\.\d{3}\))? ){4}\|", row) for row in rows)
    assert "in-domain (ffpp) 52 real and 104 fake; cross-dataset (celebdf) 69 real and 48 fake" in conditions
    assert "seed 1" in conditions
    assert "profile quick" in conditions
    assert conditions.endswith("Flags raised by the checks for masked gradients: baseline none, robust 2.")


@pytest.mark.parametrize(("enough", "warned"), [(5, True), (0, False)])
def test_a_rate_that_hangs_on_few_reals_is_told_so(
    results: Results, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int, warned: bool
) -> None:
    monkeypatch.setattr("deepfake.reporting.results.ENOUGH_FALSE_POSITIVES", enough)
    write_short_table(tmp_path / "summary.md", results, params)
    assert ("With so few reals" in (tmp_path / "summary.md").read_text()) == warned


def test_one_model_has_a_short_table_too(results: Results, params: Params, tmp_path: Path) -> None:
    alone = [scores for scores in results.score_sets if scores.model == "baseline"]
    write_short_table(tmp_path / "summary.md", replace(results, score_sets=alone), params)
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("| videos | baseline AUC | baseline TPR at 1 % FPR |")
    assert text.endswith("Flags raised by the checks for masked gradients: baseline none.\n")
