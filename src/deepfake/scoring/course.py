"""How the score of every face runs through a video, and where it is highest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake.records import Box
from deepfake.scoring.answers import FileAnswer
from deepfake.scoring.judging import Judge
from deepfake.scoring.people import Person


@dataclass(frozen=True)
class Course:
    """One face through the longer plan.

    Attributes:
        face: its number in the answer, from 0; None for somebody whom the verdicts do not cover.
        person: its boxes and crops.
        logits: of every crop (N,), by the judge's name.
    """

    face: int | None
    person: Person
    logits: Mapping[str, Sequence[float]]

    @property
    def found(self) -> list[int]:
        """Numbers of the crops that really show the face: the other frames of a clip only share its box."""
        return [index for index, row in enumerate(self.person.rows) if row.frame in self.person.track]


@dataclass(frozen=True)
class Moment:
    """A frame in which a face looks suspicious.

    Attributes:
        frame: its number.
        picture: the frame, uint8 RGB (H, W, 3).
        boxes: of everybody in it, with their number as in Course.
        face: number of the suspicious one.
        crop: the suspicious face, uint8 RGB (S, S, 3).
        probability: of that crop, by the judge's name.
    """

    frame: int
    picture: np.ndarray
    boxes: Sequence[tuple[int | None, Box]]
    face: int | None
    crop: np.ndarray
    probability: Mapping[str, float]


def follow(answer: FileAnswer, judges: Sequence[Judge]) -> list[Course]:
    """The course of every face that was seen; none for an unreadable file."""
    return [
        Course(
            answer.face_of(person), person, {judge.name: judge.logits(person.rows, person.crops) for judge in judges}
        )
        for person in answer.people
    ]


def most_suspicious(
    answer: FileAnswer, courses: Sequence[Course], judges: Sequence[Judge], *, count: int
) -> list[Moment]:
    """The frames with the highest scores of the first judge, one of each clip, in the order of the video.

    Faces with a verdict go before those that are tiny, blurred or not covered, which score high for no good reason.
    """
    best: dict[int, tuple[bool, float, Course, int]] = {}
    for course in courses:
        clear = course.face is not None and not answer.faces[course.face].doubts
        for index in course.found:
            candidate = (clear, course.logits[judges[0].name][index], course, index)
            clip = course.person.rows[index].clip
            if clip not in best or candidate[:2] > best[clip][:2]:
                best[clip] = candidate
    chosen = sorted(best.values(), key=lambda candidate: candidate[:2], reverse=True)[:count]
    moments = [_moment(answer, courses, judges, course, index) for _, _, course, index in chosen]
    return sorted(moments, key=lambda moment: moment.frame)


def _moment(
    answer: FileAnswer, courses: Sequence[Course], judges: Sequence[Judge], course: Course, index: int
) -> Moment:
    assert answer.course is not None
    frame, clip = course.person.rows[index].frame, course.person.rows[index].clip
    boxes = [
        (other.face, box.box)
        for other in courses
        for box in (other.person.boxes[found] for found in other.found)
        if (box.frame, box.clip) == (frame, clip)
    ]
    probability = {judge.name: judge.probability(course.logits[judge.name][index]) for judge in judges}
    return Moment(frame, answer.course.frames[frame], boxes, course.face, course.person.crops[index], probability)
