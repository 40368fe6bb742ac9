"""The stage script: whole or nothing, and one line for a fault."""

from pathlib import Path

import pytest
import yaml

import make_sample
from deepfake.errors import SettingsError

PARAMS = Path(__file__).parents[2] / "params.yaml"
TINY = {"train_identities": 2, "val_identities": 2, "test_identities": 2, "cross_identities": 2, "cross_youtube": 0,
        "frames": 2, "width": 160, "height": 160}  # fmt: skip


def _write_params(folder: Path, **sample: object) -> None:
    values = yaml.safe_load(PARAMS.read_text())
    values["sample"] |= TINY | sample
    (folder / "params.yaml").write_text(yaml.safe_dump(values))


def test_the_script_replaces_an_older_sample_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPFAKE_WORKERS", "1")
    _write_params(tmp_path)
    old = tmp_path / "out/ffpp/old.mp4"
    old.parent.mkdir(parents=True)
    old.touch()
    make_sample.main(["--out", "out"])
    assert not old.exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["celebdf", "ffpp"]
    assert len(list((tmp_path / "out/ffpp/original_sequences/youtube/c23/videos").iterdir())) == 6


def test_an_odd_number_of_people_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write_params(tmp_path, train_identities=3)
    with pytest.raises(SettingsError, match=r"sample\.train_identities"):
        make_sample.main(["--out", "out"])
    assert not (tmp_path / "out").exists()
