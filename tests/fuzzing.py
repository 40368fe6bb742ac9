"""How long to look for inputs that break a reader: short in `make test`, long where DEEPFAKE_FUZZ says so."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from deepfake.errors import DeepfakeError

FACTOR = int(os.environ.get("DEEPFAKE_FUZZ", "1"))  # `make test-faults` sets 20
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def fuzz(examples: int) -> settings:
    """Hypothesis settings for so many examples, times DEEPFAKE_FUZZ; the same ones every time in a short run."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=timedelta(seconds=20),  # no single input may hold a reader up
        suppress_health_check=CHECKS,
        derandomize=FACTOR == 1,
        database=None,
    )


def assert_one_line(read: Callable[[], Any], *named: str) -> Any:
    """What `read` returns; or None if it raised a DeepfakeError, which then must be one line with these texts in it."""
    try:
        return read()
    except DeepfakeError as error:
        line = str(error)
    assert line.isprintable(), line
    assert len(line) < 2000, line
    assert all(text in line for text in named), line
    return None


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """Copies of a file with some bytes overwritten, cut out, doubled or cut off."""
    places = st.integers(0, len(data))
    extremes = st.sampled_from([b"\xff" * 4, b"\x7f" + b"\xff" * 7, bytes(4)])
    numbers = st.one_of(st.binary(min_size=1, max_size=8), extremes)
    edits = st.lists(st.tuples(st.sampled_from("owd"), places, st.integers(1, 64), numbers), min_size=1, max_size=6)
    return st.builds(_edited, st.just(data), edits, st.one_of(st.none(), places))


def _edited(data: bytes, edits: list[tuple[str, int, int, bytes]], end: int | None) -> bytes:
    for kind, place, length, new in edits:
        if kind == "o":  # overwrite
            data = data[:place] + new + data[place + len(new) :]
        elif kind == "w":  # cut out
            data = data[:place] + data[place + length :]
        else:  # double
            data = data[: place + length] + data[place:]
    return data[:end]
