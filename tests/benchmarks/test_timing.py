from pathlib import Path

import numpy as np
import pytest
import torch
from memory import measured, measured_alone
from timing import Line, Took, compare, in_turns, line, machine, rotated, timed, write_table

from deepfake.tables import read_rows


def test_ways_take_turns_in_another_order_every_round_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []
    ways = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = in_turns(ways, 2, title="t")
    assert "".join(calls) == "cab" + "abc" + "bca"
    assert {name: len(each) for name, each in seconds.items()} == {"a": 2, "b": 2, "c": 2}
    assert rotated("abc", 3) == ["a", "b", "c"]


def test_a_ratio_is_the_median_of_those_of_single_rounds() -> None:
    (found,) = compare("t", {"ours": [1.0, 2.0, 4.0], "other": [10.0, 4.0, 12.0]}, "ours", count=8, unit="n/s",
                       goals={"other": 2.5})  # fmt: skip
    assert (found.ours, found.other) == (4.0, 0.8)
    assert (found.ratio, found.low, found.high) == (3.0, 2.0, 10.0), "10, 2 and 3; not 10 / 2"
    assert found.goal == 2.5


def test_where_less_is_better_a_ratio_above_1_is_better_still() -> None:
    assert line("t", "a", "MB", [100.0], [300.0], less_is_better=True).ratio == 3


def test_a_way_that_takes_twice_as_long_is_half_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def pass_time(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr("timing.perf_counter", lambda: clock[0])
    ways = {"ours": lambda: pass_time(1), "other": lambda: pass_time(2)}
    (found,) = compare("t", in_turns(ways, 3, title="t", warm_up=False), "ours", count=1, unit="n/s")
    assert found.ratio == pytest.approx(2)


def test_a_way_can_leave_out_what_it_prepares() -> None:
    assert timed(lambda: Took(3.5)) == 3.5
    assert timed(lambda: 3.5) < 1, "any other result is no time"


def test_the_table_says_which_goals_are_missed(tmp_path: Path) -> None:
    lines = [line("a", "x", "n/s", [2.0], [1.0], goal) for goal in (None, 1.5, 2.5)]
    write_table(tmp_path / "table", lines, ["a note"])
    _, _, free, met, missed, _, note = (tmp_path / "table.md").read_text().splitlines()
    assert free == "| a | x | 2 | 1 | n/s | 2.00 (2.00 to 2.00) |  |  |"
    assert met.endswith("| at least 1.50 | met |")
    assert missed.endswith("| at least 2.50 | **missed** |")
    assert note == "- a note"
    assert read_rows(tmp_path / "table.csv", Line)[1] == lines[1]


def test_peak_memory_is_that_of_the_work_and_not_of_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_DEVICE", "cpu")
    before = measured(hold, 1).peak
    assert measured(hold, 200).peak - before == pytest.approx(200, abs=40)
    assert measured(hold, 1).peak - before < 40, "the 200 MB are forgotten"


def test_a_fresh_process_does_not_carry_the_memory_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_DEVICE", "cpu")
    ballast = np.ones(400_000_000, np.uint8)
    cost = measured_alone(hold, 1)
    assert cost.peak < measured(hold, 1).peak - 200
    assert cost.seconds < 1, "starting the process is not part of the work"
    del ballast


def test_the_machine_has_a_name() -> None:
    assert machine(torch.device("cpu"))


def hold(megabytes: int) -> int:
    """Memory that is there for a moment."""
    return int(np.ones(megabytes * 1_000_000, np.uint8)[-1])
