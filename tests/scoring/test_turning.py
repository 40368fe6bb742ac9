"""A face that does not stand upright is noticed by how sure the face detector is of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scoring.made_up import person

from deepfake.records import Box, Detection
from deepfake.scoring.turning import Turning, turned_box


class Finder:
    """Finds a white square, and is surest of it where the black dot in it is in the upper half."""

    def __init__(self) -> None:
        self.calls = 0

    def find(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        self.calls += 1
        return [[self._square(frame)] for frame in frames]

    def _square(self, frame: np.ndarray) -> Detection:
        rows, columns = np.nonzero(frame[..., 0])
        box = Box(columns.min(), rows.min(), columns.max() + 1.0, rows.max() + 1.0)
        part = frame[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1), 0]
        (dot,) = np.argwhere(part == 0)
        upright = dot[0] < len(part) / 4 and abs(dot[1] - len(part) / 2) < len(part) / 4
        return Detection(box, 0.99 if upright else 0.95)


def picture() -> np.ndarray:
    frame = np.zeros((60, 90, 3), np.uint8)
    frame[10:30, 50:70] = 255
    frame[12, 60] = 0
    return frame


def turning(frame: np.ndarray) -> tuple[Turning, Any]:
    """The turning of a file with one frame, and its person."""
    finder: Any = Finder()
    someone = person()
    (number, *_) = someone.track
    ((found,),) = finder.find([frame])
    someone.track.clear()
    someone.track[number] = found
    return Turning(finder, {number: frame}, max_side=90), someone


@pytest.mark.parametrize("turns", range(4))
def test_it_is_said_how_to_set_a_face_upright(turns: int) -> None:
    each, someone = turning(np.ascontiguousarray(np.rot90(picture(), -turns)))
    assert each.degrees(someone) == 90 * turns


def test_a_surer_face_somewhere_else_says_nothing() -> None:
    each, someone = turning(np.ascontiguousarray(np.rot90(picture(), 2)))
    (number,) = someone.track
    someone.track[number] = Detection(Box(0, 0, 20, 20), 0.95)
    assert each.degrees(someone) == 0


@pytest.mark.parametrize(("turned", "degrees"), [(0.95, 0), (0.965, 0), (0.98, 180), (1.0, 180)])
def test_a_little_surer_is_not_enough(monkeypatch: pytest.MonkeyPatch, turned: float, degrees: int) -> None:
    each, someone = turning(np.ascontiguousarray(np.rot90(picture(), 2)))
    finder: Any = each.finder
    find = finder.find

    def find_as_surely(frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        return [[Detection(d.box, turned if d.probability > 0.95 else 0.95) for d in found] for found in find(frames)]

    monkeypatch.setattr(finder, "find", find_as_surely)
    assert each.degrees(someone) == degrees


def test_a_frame_is_searched_once_for_all_people_in_it() -> None:
    each, someone = turning(picture())
    finder: Any = each.finder
    for _ in range(3):
        each.degrees(someone)
    assert finder.calls == 1 + 3


@pytest.mark.parametrize("turns", range(4))
def test_a_box_is_turned_as_its_picture_is(turns: int) -> None:
    frame = np.zeros((60, 90))
    frame[10:30, 50:75] = 1
    box = turned_box(Box(50, 10, 75, 30), (60, 90), turns)
    rows, columns = np.nonzero(np.rot90(frame, turns))
    assert (box.x0, box.y0, box.x1, box.y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
