"""The Grad-CAM panel of a face: two detectors, one above the other, and what they see when it is attacked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from deepfake.explain.drawing import FAKE_COLOR, INK, MUTED, REAL_COLOR, draw, levels, shorten, strip, tile, write
from deepfake.explain.looking import Face, Look
from deepfake.findings import Explanation
from deepfake.records import Calibration, VideoKey

_TILE, _GAP, _ROW = 1.86, 0.12, 2.62
_LEFT, _WIDTH, _HEIGHT = 3.34, 10.1, 5.56
_CROP = 2.6
_HEAT: Colormap = LinearSegmentedColormap.from_list("heat", ["#3a1466", "#b5367a", "#fb8861", "#fcfdbf"])


@dataclass(frozen=True)
class Row:
    """What one detector saw in one face.

    Attributes:
        name: of the detector.
        calibration: turns its logits into answers.
        seen: by the title of the column, what it saw and what that is worth.
    """

    name: str
    calibration: Calibration
    seen: Mapping[str, tuple[Look, Explanation]]


def draw_panel(face: Face, rows: Sequence[Row], *, eps: float) -> bytes:
    """A PNG: the crop with its forged region, and for each detector its maps, on one scale in a row.

    Args:
        face: the unchanged face.
        rows: one for each detector, with the same columns.
        eps: budget of the attacks, for the caption.
    """

    def paint(figure: Figure) -> None:
        _introduce(figure, face, eps)
        for number, row in enumerate(rows):
            _paint_row(figure, row, face.region, bottom=_HEIGHT - 0.36 - _TILE - number * _ROW, titles=number == 0)

    return draw(paint, width=_WIDTH, height=_HEIGHT)


def scale_of(looks: Sequence[Look]) -> float:
    """The relevance that gets the brightest colour: the largest in any of the maps; 1 where all are empty."""
    return max(float(look.relevance.max()) for look in looks) or 1.0


def probability(logit: float, calibration: Calibration) -> float:
    """Calibrated probability of fake."""
    return 0.5 * (1 + math.tanh(logit / calibration.temperature / 2))


def _introduce(figure: Figure, face: Face, eps: float) -> None:
    key = VideoKey.parse(face.row.video)
    write(figure, 0.25, _HEIGHT - 0.34, shorten(f"{key.method} forgery", 28), size=13, weight="bold")
    write(figure, 0.25, _HEIGHT - 0.58, shorten(face.row.video, 44), color=MUTED)
    write(figure, 0.25, _HEIGHT - 0.80, f"frame {face.row.frame}; attacks within ε = {levels(eps)}", color=MUTED)
    axes = tile(figure, 0.25, _HEIGHT - 0.98 - _CROP, _CROP)
    axes.imshow(face.crop, interpolation="bicubic")
    if face.region is not None:
        _outline(axes, face.region, faint=False)
        about = f"dashed: the forged region, {face.region.mean():.0%} of the crop"
    else:
        about = "the forged region is not known"
    lines = [
        about,
        "",
        "Colours: Grad-CAM, the evidence of fake at the",
        "last convolutional map; one scale in each row.",
        "says fake: at the threshold with 1 % false",
        "alarms. P: calibrated probability of fake.",
        "overlap: share of the relevance on the forged",
        "region, relative to its share of the crop.",
        "rank corr.: of the evidence for and against",
        "fake with that in the row's clean crop.",
    ]
    write(figure, 0.25, _HEIGHT - 1.08 - _CROP, "\n".join(lines), color=INK, va="top", size=8, linespacing=1.4)


def _paint_row(figure: Figure, row: Row, region: np.ndarray | None, *, bottom: float, titles: bool) -> None:
    scale = scale_of([look for look, _ in row.seen.values()])
    write(
        figure, _LEFT - 0.1, bottom + _TILE / 2, row.name, rotation=90, size=11, weight="bold", ha="right", va="center"
    )
    for number, (title, (look, numbers)) in enumerate(row.seen.items()):
        left = _LEFT + number * (_TILE + _GAP)
        axes = tile(figure, left, bottom, _TILE)
        _overlay(axes, look, scale)
        if region is not None:
            _outline(axes, region, faint=True)
        if titles:
            write(figure, left + _TILE / 2, bottom + _TILE + 0.1, title, ha="center", size=9.5)
        _answer(figure, left, bottom, look.logit, row.calibration)
        write(figure, left, bottom - 0.42, _worth(numbers), color=MUTED, size=8)
    if any(look.relevance.any() for look, _ in row.seen.values()):
        _colour_bar(figure, _LEFT + len(row.seen) * (_TILE + _GAP) + 0.02, bottom, scale)


def _colour_bar(figure: Figure, left: float, bottom: float, scale: float) -> None:
    bar = strip(figure, left, bottom, 0.11, _TILE)
    bar.imshow(np.linspace(1, 0, 256)[:, None], cmap=_HEAT, aspect="auto", extent=(0, 1, 0, scale))
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.set_yticks([0, scale / 2, scale], ["0", f"{scale / 2:.2g}", f"{scale:.2g}"])


def _overlay(axes: Axes, look: Look, scale: float) -> None:
    grey = cv2.cvtColor(look.pixels, cv2.COLOR_RGB2GRAY)
    share = np.clip(look.relevance / scale, 0, 1)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="bicubic")
    axes.imshow(share, cmap=_HEAT, vmin=0, vmax=1, alpha=0.8 * np.sqrt(share), interpolation="bilinear")
    if not share.any():
        place = axes.transAxes
        axes.text(0.5, 0.04, "no evidence of fake anywhere", color="white", size=7.5, ha="center", transform=place)


def _answer(figure: Figure, left: float, bottom: float, logit: float, calibration: Calibration) -> None:
    fake = logit >= calibration.frame_threshold
    says, color = ("says fake", FAKE_COLOR) if fake else ("says real", REAL_COLOR)
    write(figure, left, bottom - 0.21, says, color=color, weight="bold", size=9)
    text = f"logit {_signed(logit)} · P {probability(logit, calibration):.2f}"
    write(figure, left + _TILE, bottom - 0.21, text, ha="right", size=8)


def _worth(numbers: Explanation) -> str:
    overlap = "–" if math.isnan(numbers.overlap) else f"{numbers.overlap:.2f}"
    stability = "–" if math.isnan(numbers.stability) else _signed(numbers.stability)
    return f"overlap {overlap} · rank corr. {stability}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _outline(axes: Axes, region: np.ndarray, *, faint: bool) -> None:
    smooth = cv2.GaussianBlur(region.astype(np.float32), (0, 0), 1.0)
    if smooth.min() < 0.5 < smooth.max():
        lines = [("white", 0.8, "dashed")] if faint else [("black", 2.6, "solid"), ("white", 1.4, "dashed")]
        for color, width, dashes in lines:
            axes.contour(smooth, levels=[0.5], colors=color, linewidths=width, linestyles=dashes)
