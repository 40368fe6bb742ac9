import json
from pathlib import Path

import numpy as np
import pytest
import undo_fraction
from undo_fraction import Line, to_markdown, within

from deepfake.errors import DataError
from deepfake.records import Box
from deepfake.video.encoding import encode_h264

REALS = "original_sequences/youtube"


def test_the_share_within_a_budget_counts_a_pixel_by_its_furthest_channel() -> None:
    original = np.full((2, 4, 3), 100, np.uint8)
    fake = original.copy()
    fake[0] = [[100, 100, 101], [98, 100, 100], [100, 104, 101], [100, 91, 100]]
    assert within(fake, original) == [5 / 8, 6 / 8, 7 / 8, 7 / 8]


def test_the_table_shows_a_line_a_method_in_percent() -> None:
    assert "| mini | FaceSwap | 3 | 1 % | 5 % | 12 % | 50 % |" in to_markdown(
        [Line("mini", "FaceSwap", 3, 0.01, 0.051, 0.119, 0.5)]
    )


def test_each_fake_is_compared_with_the_video_of_its_target(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(60, 180, (64, 64, 3)).astype(np.uint8)
    root = tmp_path / "tree"
    pairs = {"train": ("000", "001"), "val": ("002", "003"), "test": ("004", "005")}
    for target, source in pairs.values():
        for folder, name, lift in ((REALS, target, 0), (REALS, source, 40),
                                   ("manipulated_sequences/FaceSwap", f"{source}_{target}", 43)):  # fmt: skip
            path = root / folder / "c23" / "videos" / f"{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_h264([base + np.uint8(lift)] * 4, crf=0))
    (root / "splits").mkdir()
    for split, pair in pairs.items():
        (root / "splits" / f"{split}.json").write_text(json.dumps([pair]))

    (line,) = undo_fraction.measure(root, 5, lambda _: Box(0, 0, 64, 64))  # type: ignore[arg-type]
    assert (line.dataset, line.method, line.fakes) == ("tree", "FaceSwap", 3)
    assert line.within_1 < 0.1
    assert line.within_4 > 0.9, "3 grey levels apart"


def test_an_unreadable_root_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        list(undo_fraction.measure(tmp_path / "none", 5, lambda _: None))  # type: ignore[arg-type]
