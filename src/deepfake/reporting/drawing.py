"""One look for all figures, and the same bytes for the same data."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from deepfake.reporting.scores import CLEAN

INK, MUTED, GRID = "#1f2328", "#6b7280", "#e5e7eb"
REAL_COLOR, FAKE_COLOR = "#3b6ea5", "#c2552d"
_FAMILIES = (("jpeg", "Blues"), ("h264", "Oranges"))
_OTHER = "Greens"
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
        source: SVG as a data URI.
    """

    title: str
    source: str


def draw(title: str, paint: Callable[[Figure], None], *, width: float = 4.4, height: float = 3.3) -> Picture:
    """Let `paint` fill a figure of `width` × `height` inches and embed it as SVG."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure)
        buffer = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    svg = " ".join(buffer.getvalue().decode().split())  # a URI loses its line breaks, and with them what they part
    return Picture(title, f"data:image/svg+xml,{quote(svg, safe=_URI_SAFE)}")


def condition_colors(conditions: Sequence[str]) -> dict[str, Any]:
    """A colour for each condition: clean is black, a codec family one hue that darkens in the order given."""
    families: dict[str, list[str]] = {}
    for condition in conditions:
        hue = next((hue for prefix, hue in _FAMILIES if condition.startswith(prefix)), _OTHER)
        families.setdefault(INK if condition == CLEAN else hue, []).append(condition)
    colors: dict[str, Any] = {}
    for hue, members in families.items():
        shades = [INK] if hue == INK else matplotlib.colormaps[hue](np.linspace(0.45, 0.9, len(members)))
        colors |= dict(zip(members, shades, strict=True))
    return colors
