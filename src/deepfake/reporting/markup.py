"""Tables and text in Markdown."""

from collections.abc import Iterator, Sequence

from deepfake.reporting.matrix import Estimate
from deepfake.reporting.wording import bounds

ABSENT = "–"


def table_head(columns: Sequence[str]) -> Iterator[str]:
    """The first two lines of a table."""
    yield table_line(columns)
    yield f"|{'---|' * len(columns)}"


def table_line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def with_bounds(text: str, estimate: Estimate, decimals: int = 3) -> str:
    """`text`, and behind it in brackets the interval of the estimate if it has one."""
    between = bounds(estimate, decimals)
    return f"{text} ({between})" if between else text


def plain(text: str) -> str:
    """Text whose signs Markdown and HTML do not read as markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|" else sign for sign in text)
