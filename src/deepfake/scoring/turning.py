"""Whether a face lies on its side or stands on its head: MTCNN is then clearly surer of it in the turned picture.

It finds some such faces as they are, but training showed the detector none of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logit

from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.faces.tracks import displacement
from deepfake.records import Box, Detection
from deepfake.scoring.people import Person

Searches = tuple[tuple[int, int], Sequence[Sequence[Detection]]]  # height and width of a frame; what each turn shows

_SAME_PLACE = 0.5  # of a face's side
_SUREST = 1 - 1e-7  # float32 has nothing between it and 1
_SURER = 0.5  # nats of log odds; docs/scoring.md says how well that tells turned faces from upright ones


@dataclass(frozen=True)
class Turning:
    """The frames of one file, and what is found in them after they are turned.

    Attributes:
        finder: the face detector.
        frames: uint8 RGB (H, W, 3), by frame number.
        max_side: what they are shrunk to before faces are searched.
    """

    finder: FaceFinder
    frames: Mapping[int, np.ndarray]
    max_side: int
    _found: dict[int, Searches] = field(default_factory=dict)  # by frame

    def degrees(self, person: Person) -> int:
        """By how much the file has to be turned to the left for the face to stand upright: 0, 90, 180 or 270."""
        frame = next(number for number in person.track if number in self.frames)
        face = person.track[frame]
        size, searches = self._turned(frame)
        best, degrees = _log_odds(face) + _SURER, 0
        for turns, found in enumerate(searches, start=1):
            place = turned_box(face.box, size, turns)
            for other in found:
                if _log_odds(other) > best and displacement(place, other.box) < _SAME_PLACE:
                    best, degrees = _log_odds(other), 90 * turns
        return degrees

    def _turned(self, frame: int) -> Searches:
        if frame not in self._found:
            shrunk = shrink(self.frames[frame], self.max_side)[0]
            height, width, _ = shrunk.shape
            turned = [np.ascontiguousarray(np.rot90(shrunk, turns)) for turns in (1, 2, 3)]
            self._found[frame] = (height, width), [self.finder.find([picture])[0] for picture in turned]
        return self._found[frame]


def _log_odds(found: Detection) -> float:
    return float(logit(min(found.probability, _SUREST)))


def turned_box(box: Box, size: tuple[int, int], turns: int) -> Box:
    """Where a box of a picture of some height and width is after quarter turns to the left, as by `np.rot90`."""
    height, width = size
    for _ in range(turns):
        box = Box(box.y0, width - box.x1, box.y1, width - box.x0)
        height, width = width, height
    return box
