"""One look for all figures, and the same bytes for the same data."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1f2328", "#6b7280", "#e5e7eb"
REAL_COLOR, FAKE_COLOR = "#3b6ea5", "#c2552d"
_MODEL_COLORS = {"baseline": "#8a8f98", "robust": "#17725f", "longer": "#b7791f"}
_PALETTE = ("#17725f", "#3b6ea5", "#c2552d", "#7a4f9a", "#8a8f98")
_PNG_DPI = 160
_URI_SAFE = " /:;,.=()'"  # not escaped where that is not needed, so that the page stays small

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # laid out for the first; the second has the same widths
    "font.size": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # a $ in a name of the data is a dollar sign
    "svg.fonttype": "none",  # text, not outlines: a fifth of the bytes
    "svg.hashsalt": "deepfake",
}


@dataclass(frozen=True)
class Picture:
    """A figure for the page.

    Attributes:
        title: what it shows, in a few words; also its text for those who cannot see it.
        source: SVG or PNG as a data URI.
    """

    title: str
    source: str


@dataclass(frozen=True)
class Plot:
    """A figure before it is drawn.

    Attributes:
        title: what it shows, in a few words.
        paint: fills the figure.
        width, height: in inches.
    """

    title: str
    paint: Callable[[Figure], None]
    width: float = 4.4
    height: float = 3.3

    def embed(self) -> Picture:
        """The figure as SVG, for the page."""
        with matplotlib.rc_context(_STYLE):
            buffer = io.BytesIO()
            FigureCanvasSVG(self._painted()).print_svg(buffer, metadata={"Date": None, "Creator": None})
        svg = " ".join(buffer.getvalue().decode().split())  # a URI loses its line breaks, and with them what they part
        return Picture(self.title, f"data:image/svg+xml,{quote(svg, safe=_URI_SAFE)}")

    def png(self) -> bytes:
        """The figure as a PNG file, for where no SVG is shown."""
        with matplotlib.rc_context({**_STYLE, "figure.dpi": _PNG_DPI}):
            buffer = io.BytesIO()
            FigureCanvasAgg(self._painted()).print_png(buffer, metadata={"Software": None})
        return buffer.getvalue()

    def _painted(self) -> Figure:
        figure = Figure(figsize=(self.width, self.height), layout="constrained")
        self.paint(figure)
        return figure


def draw(title: str, paint: Callable[[Figure], None], *, width: float = 4.4, height: float = 3.3) -> Picture:
    """Let `paint` fill a figure of `width` × `height` inches and embed it as SVG."""
    return Plot(title, paint, width, height).embed()


def model_color(model: str) -> str:
    """The colour of a model in every figure; an attacker has that of the model it attacks."""
    return _MODEL_COLORS.get(model.removeprefix("attacker_"), "#7a4f9a")


def series_color(number: int) -> str:
    """A colour for the curve of that number where one model has several."""
    return _PALETTE[number % len(_PALETTE)]
