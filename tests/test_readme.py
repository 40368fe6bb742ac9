"""The README says what the committed results say."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- results: begin (plots/summary.md) -->\n", "<!-- results: end -->"


def test_the_readme_shows_the_committed_results() -> None:
    committed = ROOT / "plots" / "summary.md"
    if not committed.exists():
        pytest.skip("no results yet: run `make repro`")
    readme = (ROOT / "README.md").read_text()
    shown = readme[readme.index(BEGIN) + len(BEGIN) : readme.index(END)]
    assert shown.strip() == committed.read_text().strip(), "copy plots/summary.md between the README's markers"
