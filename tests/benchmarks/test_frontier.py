"""The figure of clean against worst-case AUC."""

from pathlib import Path

import frontier
import pytest
from ablation_table import Line
from matplotlib.figure import Figure

from deepfake.errors import DeepfakeError
from deepfake.tables import write_rows

LINES = [
    Line("the base: batches of 32", 2.0, 1.0, 0.94, 0.7, 0.8, 0.7, 0.3),
    Line("the base: batches of 32, seed 2", 2.0, 1.0, 0.96, 0.7, 0.9, 0.6, 0.4),
    Line("nobody attacks", 1.0, 1.0, 0.97, 0.7, 0.2, 0.1, 0.0),
    Line("PGD only", 2.0, 1.0, 0.95, 0.7, 0.85, 0.6, 0.3),
]


def test_every_robust_recipe_has_its_number_at_the_mean_of_its_seeds_in_every_panel() -> None:
    figure = Figure(layout="constrained")
    frontier.frontier(LINES).paint(figure)
    panels = [panel for part in figure.subfigs for panel in part.axes]
    assert [panel.get_title() for panel in panels] == ["at 2/255", "at 4/255", "at 8/255"]
    for panel, worst in zip(panels, [(0.85, 0.85), (0.65, 0.6), (0.35, 0.3)], strict=True):
        numbers = {text.get_text(): text.xy for text in panel.texts}  # type: ignore[attr-defined]  # annotations
        assert numbers["1"] == pytest.approx((0.95, worst[0]))
        assert numbers["2"] == pytest.approx((0.95, worst[1]))
        assert set(numbers) == {"1", "2"}, "what does not withstand the smallest budget is left out"
    told = [text.get_text() for part in figure.subfigs for text in part.texts]
    assert told == ["1  the base: batches of 32", "2  PGD only", "Below 0.5 at 2/255: nobody attacks"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    write_rows(tmp_path / "t.csv", Line, LINES)
    for name in ("a.png", "b.png"):
        frontier.main([str(tmp_path / "t.csv"), "--out", str(tmp_path / name)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_table_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DeepfakeError, match=r"none\.csv"):
        frontier.main([str(tmp_path / "none.csv"), "--out", str(tmp_path / "a.png")])
