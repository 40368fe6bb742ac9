"""The answer for one file: a verdict for every face in it, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from deepfake.errors import MediaError
from deepfake.params import ClipParams
from deepfake.scoring.files import Media
from deepfake.scoring.judging import Judge, Opinion
from deepfake.scoring.people import Person, Search, Sight, same_person
from deepfake.scoring.quality import doubts
from deepfake.scoring.turning import Turning

Verdict = Literal["fake", "real", "inconclusive"]
Outcome = Literal["fake", "real", "inconclusive", "no face", "unreadable"]


@dataclass(frozen=True)
class FaceAnswer:
    """One face.

    Attributes:
        verdict: by the first judge; inconclusive if there are doubts, whatever the judge says.
        doubts: why it cannot be judged.
        person: its boxes and crops.
        opinions: of every judge, by its name.
    """

    verdict: Verdict
    doubts: tuple[str, ...]
    person: Person
    opinions: Mapping[str, Opinion]


@dataclass(frozen=True)
class FileAnswer:
    """One file.

    Attributes:
        media: the file.
        outcome: `fake` if any face is called so, `real` if every face is.
        faces: the most prominent first.
        reason: why it is unreadable, or "".
        sight: what verdicts rest on; None if it is unreadable.
        course: what was looked at to see how the score runs: the same where no longer plan was asked for.
    """

    media: Media
    outcome: Outcome
    faces: tuple[FaceAnswer, ...] = ()
    reason: str = ""
    sight: Sight | None = None
    course: Sight | None = None

    @property
    def verdict_frames(self) -> list[int]:
        """Numbers of the frames that verdicts rest on."""
        return sorted(self.sight.frames) if self.sight else []

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody in the course."""
        return self.course.people if self.course else ()

    def face_of(self, person: Person) -> int | None:
        """Which of the faces somebody in the course is; None for somebody whom the verdicts do not cover."""
        return same_person(person, [face.person for face in self.faces])


def answer(
    media: Media, search: Search, judges: Sequence[Judge], plan: ClipParams, *, course: ClipParams | None = None
) -> FileAnswer:
    """Look at a file and judge every face in it.

    Args:
        media: the file.
        search: how faces are found and cut.
        judges: the first one's verdict counts.
        plan: the frames that verdicts rest on.
        course: further frames of a video, to see how the score runs.
    """
    try:
        if media.fault:
            raise MediaError(media.fault)
        sight = search.look(media, plan)
        longer = search.look(media, course, known=sight) if course and media.kind == "video" else sight
    except MediaError as error:
        return FileAnswer(media, "unreadable", reason=str(error).removeprefix(f"{media.path}: "))
    turning = Turning(search.finder, sight.frames, search.faces.max_side)
    faces = tuple(_judge(person, sight, turning.degrees(person), media, search, judges) for person in sight.people)
    return FileAnswer(media, _outcome(faces), faces, sight=sight, course=longer)


def _judge(
    person: Person, sight: Sight, turn: int, media: Media, search: Search, judges: Sequence[Judge]
) -> FaceAnswer:
    opinions = {judge.name: judge.opinion(person, media.kind) for judge in judges}
    reasons = doubts(person, scale=sight.scale, turn=turn, faces=search.faces, crops=search.crops)
    called: Verdict = "fake" if opinions[judges[0].name].clean.fake else "real"
    return FaceAnswer("inconclusive" if reasons else called, tuple(reasons), person, opinions)


def _outcome(faces: Sequence[FaceAnswer]) -> Outcome:
    verdicts = {face.verdict for face in faces}
    if not verdicts:
        return "no face"
    return "fake" if "fake" in verdicts else "inconclusive" if "inconclusive" in verdicts else "real"
