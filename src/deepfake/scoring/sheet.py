"""The picture of an answer: how the score of every face runs through a video, and its most suspicious frames."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from deepfake.scoring.answers import FileAnswer
from deepfake.scoring.course import Course, Moment, follow, most_suspicious
from deepfake.scoring.judging import Judge
from deepfake.scoring.telling import printable

Relevance = Callable[[np.ndarray], np.ndarray]  # crops, uint8 RGB (B, S, S, 3) -> evidence of fake (B, S, S) ≥ 0

_SPOTS = 3
_WIDTH, _RIM, _GAP, _LINE = 10.1, 0.3, 0.2, 0.17  # inches, all of them
_COURSE, _PICTURE, _TILE = 1.9, 1.9, 1.45
_COLUMN = (_WIDTH - 2 * _RIM - (_SPOTS - 1) * _GAP) / _SPOTS
_LETTERS = 150  # of a line of text
_LISTED = 8  # faces in the legend
_MUTED, _NOBODY = "#6b7280", "#9aa0a6"
_FACES = ("#c2552d", "#3b6ea5", "#4f8a52", "#8b5aa8", "#b58a1b", "#2a9d9d")  # one colour for each face
_DASHES: Any = ("solid", (0, (2, 1.5)))  # the first judge, and the one beside it
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Sheet:
    """What the picture of one file shows.

    Attributes:
        answer: the answer; of a file with a face.
        judges: up to two; the first one's verdict counts.
        relevance: what each judge sees in crops, by its name.
        lines: what is to be said in words.
        rate: frames per second, or None where that is not known.
    """

    answer: FileAnswer
    judges: Sequence[Judge]
    relevance: Mapping[str, Relevance]
    lines: Sequence[str]
    rate: float | None


def draw_sheet(sheet: Sheet) -> bytes:
    """A PNG."""
    courses = follow(sheet.answer, sheet.judges)
    moments = most_suspicious(sheet.answer, courses, sheet.judges, count=_SPOTS)
    lines = [part for line in sheet.lines for part in textwrap.wrap(line, _LETTERS, subsequent_indent="    ")]
    head = 0.7 + _LINE * len(lines)
    course = _COURSE + 0.7 if sheet.answer.media.kind == "video" else 0.0
    height = head + course + 0.25 + _PICTURE + 0.3 + _TILE + 0.4
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), dpi=100, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        title = printable(sheet.answer.media.path.name)
        _write(figure, _RIM, height - 0.35, f"{title}: {sheet.answer.outcome}", size=13, weight="bold")
        _write(figure, _RIM, height - 0.5, "\n".join(lines), va="top", linespacing=1.4)
        if course:
            axes = _axes(figure, _RIM + 0.45, height - head - _COURSE, _WIDTH - 2 * _RIM - 0.45, _COURSE)
            _paint_courses(axes, sheet, courses)
        _paint_moments(figure, sheet, moments, top=height - head - course)
        canvas.draw()
    _, data = cv2.imencode(".png", cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR))
    return data.tobytes()


def _paint_courses(axes: Axes, sheet: Sheet, courses: Sequence[Course]) -> None:
    for course in courses:
        frames = [course.person.rows[index].frame for index in course.found]
        for judge, dashes in zip(sheet.judges, _DASHES, strict=False):
            values = [judge.probability(course.logits[judge.name][index]) for index in course.found]
            axes.plot(frames, values, color=_color(course.face), linestyle=dashes, linewidth=1.1, marker="o", ms=2.2)
    looked = sheet.answer.verdict_frames
    ends = (looked[0] - 0.5, looked[-1] + 0.5)
    for frame in looked:
        axes.axvspan(frame - 0.5, frame + 0.5, color="#e5e7eb", linewidth=0, zorder=0)
    for judge, dashes in zip(sheet.judges, _DASHES, strict=False):
        for number, face in enumerate(sheet.answer.faces):
            mean = face.opinions[judge.name].clean.probability
            axes.plot(ends, (mean, mean), color=_color(number), linestyle=dashes, linewidth=3)
        limit = judge.probability(judge.threshold("video"))
        axes.axhline(limit, color=_MUTED, linewidth=0.8, linestyle=dashes)
        axes.annotate(f"threshold of {judge.name}, for the mean", (1, limit), xycoords=("axes fraction", "data"),
                      ha="right", va="bottom", size=6.5, color=_MUTED)  # fmt: skip
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("P(fake) of a frame")
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(lambda frame, _: _when(frame, sheet.rate).replace(", ", "\n"))
    axes.tick_params(labelsize=7)
    shown = list(dict.fromkeys(course.face for course in courses))[:_LISTED]
    handles = [Line2D([], [], color=_color(face), label=_name(face)) for face in shown]
    handles += [
        Line2D([], [], color=_MUTED, linestyle=dashes, label=judge.name)
        for judge, dashes in zip(sheet.judges, _DASHES, strict=False)
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles), frameon=False, fontsize=7)


def _paint_moments(figure: Figure, sheet: Sheet, moments: Sequence[Moment], *, top: float) -> None:
    crops = np.stack([moment.crop for moment in moments])
    maps = {judge.name: sheet.relevance[judge.name](crops) for judge in sheet.judges}
    for number, moment in enumerate(moments):
        left = _RIM + number * (_COLUMN + _GAP)
        _write(
            figure, left, top - 0.13, f"{_when(moment.frame, sheet.rate)}: {_name(moment.face)}", size=9, weight="bold"
        )
        _paint_frame(_axes(figure, left, top - 0.25 - _PICTURE, _COLUMN, _PICTURE), moment)
        bottom = top - 0.55 - _PICTURE - _TILE
        for column, judge in enumerate(sheet.judges):
            place, scale = left + column * (_TILE + 0.1), float(maps[judge.name].max()) or 1.0
            _paint_evidence(_axes(figure, place, bottom, _TILE, _TILE), moment.crop, maps[judge.name][number] / scale)
            _write(figure, place, bottom + _TILE + 0.06, f"{judge.name[-20:]}: P {moment.probability[judge.name]:.2f}")
    notes = [
        "The frames with the highest scores. Colours: Grad-CAM, evidence of fake, one scale a detector; grey: none.",
        "Curves: clips all through the video. Grey band: the clips that verdicts rest on; thick: the verdicts.",
    ]
    note = "\n".join(notes if sheet.answer.media.kind == "video" else notes[:1])
    _write(figure, _RIM, top - 0.7 - _PICTURE - _TILE, note, va="top", color=_MUTED)


def _paint_frame(axes: Axes, moment: Moment) -> None:
    height, width = moment.picture.shape[:2]
    factor = min(1.0, 640 / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    axes.imshow(cv2.resize(moment.picture, size, interpolation=cv2.INTER_AREA), extent=(0, width, height, 0))
    axes.set_anchor("W")
    for face, box in moment.boxes:
        color, line = _color(face), 2.2 if face == moment.face else 1.0
        sides = (box.x1 - box.x0, box.y1 - box.y0)
        axes.add_patch(Rectangle((box.x0, box.y0), *sides, fill=False, edgecolor=color, linewidth=line))
        label = "?" if face is None else str(face + 1)
        axes.text(box.x0, box.y0, label, color="white", size=7, va="bottom", clip_on=True,
                  bbox={"facecolor": color, "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _paint_evidence(axes: Axes, crop: np.ndarray, share: np.ndarray) -> None:
    axes.imshow(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cmap="gray", vmin=0, vmax=255, interpolation="bicubic")
    axes.imshow(share, cmap="inferno", vmin=0, vmax=1, alpha=0.8 * np.sqrt(share), interpolation="bilinear")


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes without ticks; place and size in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up), xticks=[], yticks=[])


def _write(figure: Figure, left: float, bottom: float, text: str, **style: Any) -> None:
    across, up = figure.get_size_inches()
    figure.text(left / across, bottom / up, text, **style)


def _when(frame: float, rate: float | None) -> str:
    return f"frame {frame:.0f}" + (f", {frame / rate:.1f} s" if rate else "")


def _name(face: int | None) -> str:
    return "elsewhere only" if face is None else f"face {face + 1}"


def _color(face: int | None) -> str:
    return _NOBODY if face is None else _FACES[face % len(_FACES)]
