"""One look for all pictures of faces, and the same bytes for the same data."""

from collections.abc import Callable
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED = "#1f2328", "#6b7280"
REAL_COLOR, FAKE_COLOR = "#3b6ea5", "#c2552d"

_DPI = 100
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7,
    "text.parse_math": False,  # a $ in a name of the data is a dollar sign
}


def draw(paint: Callable[[Figure], None], *, width: float, height: float, shades: int = 64) -> bytes:
    """Let `paint` fill a figure of `width` × `height` inches; a PNG.

    Fewer than 256 shades of each colour, because nobody sees the difference and it saves a third of the bytes.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        paint(figure)
        canvas.draw()
    _, data = cv2.imencode(".png", _coarsen(canvas, shades), [cv2.IMWRITE_PNG_COMPRESSION, 7])
    return data.tobytes()


def tile(figure: Figure, left: float, bottom: float, side: float) -> Axes:
    """Square axes for a picture, without ticks; place and side in inches."""
    axes = figure.add_axes(_shares(figure, left, bottom, side, side))
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def strip(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes for a colour bar; place and size in inches."""
    return figure.add_axes(_shares(figure, left, bottom, width, height))


def write(figure: Figure, left: float, bottom: float, text: str, **style: Any) -> None:
    """Text at a place in inches."""
    width, height = figure.get_size_inches()
    figure.text(left / width, bottom / height, text, **style)


def shorten(text: str, length: int) -> str:
    """A text of at most so many characters; a longer one loses its middle."""
    half = (length - 1) // 2
    return text if len(text) <= length else f"{text[:half]}…{text[-half:]}"


def levels(eps: float) -> str:
    """A budget as people write it: `8/255`."""
    return f"{255 * eps:.3g}/255"


def _shares(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    whole_width, whole_height = figure.get_size_inches()
    return left / whole_width, bottom / whole_height, width / whole_width, height / whole_height


def _coarsen(canvas: FigureCanvasAgg, shades: int) -> np.ndarray:
    """The picture on a canvas, BGR as OpenCV wants it."""
    rgb = np.asarray(canvas.buffer_rgba())[..., :3].astype(np.float32)
    steps = np.float32(shades - 1)
    return np.rint(np.rint(rgb / 255 * steps) / steps * 255).astype(np.uint8)[..., ::-1]
