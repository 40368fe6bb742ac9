"""How numbers, conditions and datasets are called where a person reads them."""

import math
import re

from deepfake.reporting.matrix import Estimate

_ROLES = {"train": "in-domain", "cross": "cross-dataset"}
_CONDITIONS = (
    (re.compile(r"clean"), "clean"),
    (re.compile(r"jpeg(\d+)"), r"JPEG quality \1"),
    (re.compile(r"h264_crf(\d+)"), r"H.264 CRF \1"),
)
_ABSENT = "–"


def role_title(role: str, dataset: str) -> str:
    """`in-domain (ffpp)` for the role train, `cross-dataset (celebdf)` for the role cross."""
    return f"{_ROLES.get(role, role)} ({dataset})"


def condition_title(condition: str) -> str:
    """`JPEG quality 50` for `jpeg50`; a condition that has no title keeps its name."""
    for pattern, title in _CONDITIONS:
        if pattern.fullmatch(condition):
            return pattern.sub(title, condition)
    return condition


def number(value: float, decimals: int = 3) -> str:
    """A fixed number of decimals, a real minus sign, never `-0`; a dash where undefined."""
    if not math.isfinite(value):
        return _ABSENT
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace("-", "−")


def difference(value: float, decimals: int = 3) -> str:
    """As `number`, with a sign."""
    text = number(value, decimals)
    return f"+{text}" if math.isfinite(value) and round(value, decimals) > 0 else text


def bounds(estimate: Estimate, decimals: int = 3) -> str:
    """`0.912 to 0.981`; empty where there is no interval."""
    if not math.isfinite(estimate.low):
        return ""
    return f"{number(estimate.low, decimals)} to {number(estimate.high, decimals)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share as a percentage with its unit."""
    return f"{number(100 * share, decimals)}\u00a0%" if math.isfinite(share) else _ABSENT


def count(items: int) -> str:
    """A whole number with thousands apart."""
    return f"{items:,}".replace(",", "\u202f")
