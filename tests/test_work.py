"""What a resumed result hangs on."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from deepfake import work
from deepfake.work import loaded_code, work_key

SOURCES = Path(work.__file__).parents[1]


def test_the_script_that_runs_belongs_to_the_code_as_the_package_does(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ModuleType("__main__")
    script.__file__ = str(SOURCES / "train_robust.py")
    monkeypatch.setitem(sys.modules, "__main__", script)
    files = [Path(module.__file__ or "") for module in loaded_code()]
    assert {SOURCES / "train_robust.py", Path(work.__file__)} <= set(files)
    assert len(files) == len(set(files))
    assert all(file.is_relative_to(SOURCES) for file in files)


def test_a_changed_line_of_it_is_another_key(tmp_path: Path) -> None:
    script = ModuleType("script")
    script.__file__ = str(tmp_path / "script.py")
    keys = []
    for line in ("rank = 1", "rank = 2", "rank = 1"):
        Path(script.__file__).write_text(line)
        keys.append(work_key("settings", code=[script]))
    assert keys[0] == keys[2] != keys[1]
