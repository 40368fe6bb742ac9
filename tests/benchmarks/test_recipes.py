from pathlib import Path

import pytest
import recipes
from recipes import Line
from toy_project import Project

from deepfake.errors import DeepfakeError, SettingsError
from deepfake.tables import read_rows


def test_every_checkpoint_has_a_line_and_the_same_file_the_same_numbers(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    files = {
        "one": "models/release/baseline.pt",
        "two": "models/release/robust.pt",
        "one again": "models/release/baseline.pt",
    }
    given = [word for name, path in files.items() for word in ("--detector", name, path)]
    recipes.main([*given, "--crops", "data/crops", "--out", str(tmp_path / "table")])
    lines = {line.name: line for line in read_rows(tmp_path / "table.csv", Line)}
    assert list(lines) == list(files)
    assert vars(lines["one"]) | {"name": ""} == vars(lines["one again"]) | {"name": ""}
    assert lines["one"].file != lines["two"].file
    assert "| one again |" in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize(
    ("given", "error", "line"),
    [
        (["--detector", "a", "b.pt", "--detector", "a", "c.pt"], SettingsError, "a name of its own"),
        (["--detector", "a", "none.pt"], DeepfakeError, r"none\.pt"),
    ],
)
def test_bad_checkpoints_are_named(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], error: type[Exception], line: str
) -> None:
    monkeypatch.chdir(toy.root)
    with pytest.raises(error, match=line):
        recipes.main([*given, "--crops", "data/crops", "--out", str(tmp_path / "table")])
    assert not (tmp_path / "table.csv").exists()
