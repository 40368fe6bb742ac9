"""Answers in words: a few lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepfake.params import ClipParams
from deepfake.records import Kind
from deepfake.scoring.answers import FaceAnswer, FileAnswer
from deepfake.scoring.judging import CODECS, H264_CRF, JPEG_QUALITY, Judge, Reading

_TITLES = dict(zip(CODECS, (f"JPEG {JPEG_QUALITY}", f"H.264 CRF {H264_CRF}"), strict=True))

CAUTION = (
    "the file does not say whose faces it has seen, for a dataset goes by the name of its folder layout; the detectors "
    "that come with this project have seen rendered faces only, or crops of one real collection (models/dfdc), and "
    "must not be believed on real ones"
)


def tell_models(models: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """A line for each model, with path and training: how it was trained, and what it cannot be asked."""
    told = []
    for path, training in models:
        facts = [f"{name} {value}" for name, value in training.items() if isinstance(value, str | int)]
        told.append(printable(f"{path} ({', '.join(facts) or 'no word on its training'})"))
    return [f"model: {told[0]}: {CAUTION}", *(f"beside: {line}" for line in told[1:])]


def tell_plan(plan: ClipParams, fitted: ClipParams) -> list[str]:
    """A line on what the threshold was fitted for, if that is another plan than the one in use."""
    if plan == fitted:
        return []
    return [
        f"the threshold was fitted for {_clips(fitted)} of each video; here a verdict rests on up to {_clips(plan)}, "
        "and 1 % false alarms are not promised"
    ]


def tell(answer: FileAnswer, judges: Sequence[Judge]) -> Iterator[str]:
    """The lines about one file: its outcome first, then a few for every face."""
    name = printable(str(answer.media.path))
    if answer.sight is None:
        yield f"{name}: unreadable: {printable(answer.reason)}"
        return
    looked = answer.verdict_frames
    found = f"a face in {answer.sight.frames_with_face} of {len(looked)} frames looked at ({_span(looked)})"
    if answer.faces:
        yield f"{name}: {answer.outcome}: {found}"
    else:
        hint = "; --frames looks at more" if answer.media.kind == "video" else ""
        yield f"{name}: no face found: {found}{hint}"
    for number, face in enumerate(answer.faces, start=1):
        yield from _tell_face(number, face, len(looked), judges, answer.media.kind)
    if elsewhere := sum(answer.face_of(person) is None for person in answer.people):
        yield f"  elsewhere: {elsewhere} more face{'s' * (elsewhere > 1)} without a verdict; --frames looks there too"


def printable(text: str) -> str:
    """A text in one line and without control characters, which a file name may hold."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _tell_face(number: int, face: FaceAnswer, looked: int, judges: Sequence[Judge], kind: Kind) -> Iterator[str]:
    first, *others = judges
    opinion = face.opinions[first.name]
    because = f" ({'; '.join(face.doubts)})" if face.doubts else ""
    place = f"{face.person.side:.0f} px, in {face.person.frames_found} of {looked} frames"
    yield f"  face {number}: {face.verdict}{because}, {_reading(opinion.clean, first, kind)}; {place}"
    after = [
        f"P {reading.probability:.2f} ({_change(reading, opinion.clean)}) after {_TITLES[codec]}"
        + (", which turns the call" if reading.fake != opinion.clean.fake else "")
        for codec, reading in opinion.compressed.items()
    ]
    yield f"    recompressed: {'; '.join(after)}"
    for judge in others:
        reading = face.opinions[judge.name].clean
        yield f"    beside, {judge.name}: {'fake' if reading.fake else 'real'}, {_reading(reading, judge, kind)}"


def _reading(reading: Reading, judge: Judge, kind: Kind) -> str:
    return f"P {reading.probability:.2f} (fake from {judge.probability(judge.threshold(kind)):.2f} on)"


def _change(reading: Reading, clean: Reading) -> str:
    return f"{round(reading.probability - clean.probability, 2) + 0.0:+.2f}"  # never -0.00


def _clips(plan: ClipParams) -> str:
    return f"{plan.clips} clip{'s' * (plan.clips > 1)} of {plan.length} frame{'s' * (plan.length > 1)}"


def _span(frames: Sequence[int]) -> str:
    consecutive = frames[-1] - frames[0] == len(frames) - 1
    if len(frames) == 1:
        return f"number {frames[0]}"
    return f"{frames[0]} to {frames[-1]}" if consecutive else f"between {frames[0]} and {frames[-1]}"
