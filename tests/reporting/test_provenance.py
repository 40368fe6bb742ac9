"""What the numbers were made from is told by the names that DVC gives to contents."""

from pathlib import Path

import pytest
import yaml

from deepfake.errors import DataError
from deepfake.reporting.provenance import content_hash, sources_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_and_a_folder_have_the_hashes_that_the_lock_records() -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    recorded = {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}
    for path in ("models/release/baseline.pt", "plots/training/baseline", "plots/gradcam/train"):
        assert content_hash(ROOT / path) == recorded[path]


def test_a_folders_hash_tells_names_from_contents(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "one.csv").write_text("1")
    before = content_hash(tmp_path / "a")
    assert before.endswith(".dir")
    (tmp_path / "a" / "deep" / "one.csv").rename(tmp_path / "a" / "one.csv")
    assert content_hash(tmp_path / "a") != before


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.pt: no such file or folder; run `dvc repro`"):
        list(sources_of([tmp_path / "absent.pt"]))
