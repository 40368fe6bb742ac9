from pathlib import Path

import pipeline
import pytest
from pipeline import EMPTY, LOOSE, PYTHON, large_imports, write_crops
from stages_anew import StageError
from timing import Line
from toy_project import Project

from deepfake.tables import read_rows


def test_large_imports_are_those_that_python_itself_reports(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import numpy\nif __name__ == 'scipy':\n    import scipy\n")
    assert large_imports(script) == ["numpy"]


def test_both_kinds_of_crops_have_the_same_bytes(tmp_path: Path) -> None:
    write_crops(tmp_path / "shards", 32, loose=False)
    write_crops(tmp_path / "loose", 32, loose=True)
    shards, loose = (sorted((tmp_path / name).iterdir()) for name in ("shards", "loose"))
    assert (len(shards), len(loose)) == (pipeline.SHARDS, 32)
    assert sum(path.stat().st_size for path in shards) == sum(path.stat().st_size for path in loose)


def test_a_pipeline_with_something_to_do_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = pipeline._dvc_project(tmp_path / "project")
    (project / "dvc.yaml").write_text("stages: {a: {cmd: touch out, outs: [out]}}\n")
    monkeypatch.chdir(project)
    with pytest.raises(StageError, match=r"not up to date \(a"):
        pipeline.main(["--out", str(tmp_path / "table")])
    assert not (project / "out").exists()


def test_at_small_size_every_comparison_has_a_line(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    monkeypatch.setattr(Path, "glob", lambda self, _: [self / "compare.py"])
    pipeline.main(["--crops", "200", "--rounds", "1", "--out", str(tmp_path / "table")])
    assert [(row.task.split(" (")[0], row.against) for row in read_rows(tmp_path / "table.csv", Line)] == [
        ("dvc repro, nothing to do", EMPTY), ("compare.py --help", PYTHON),
        ("dvc status, 200 crops", LOOSE), ("dvc checkout, 200 crops", LOOSE),
    ]  # fmt: skip
