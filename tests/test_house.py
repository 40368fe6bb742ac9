"""The architecture stays true: imports go down, dvc.yaml names what a stage really imports, files stay small.

`python tests/test_house.py` prints the source dependencies of every script, ready to paste into dvc.yaml.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
BENCHMARKS = ROOT / "benchmarks"  # scripts too, but no stages: they may import anything, and nothing imports them

GROUND = {"__init__", "stage", "params", "records", "findings", "errors", "modes", "video"}
GROUND |= {"archive", "ranks", "runtime", "tables", "work"}
FIRST = {"sample", "datasets", "faces", "crops", "detector", "attacks", "corruptions", "metrics"}
SECOND = {"training", "evaluation", "explain", "reporting", "scoring"}
FLOORS = {room: floor for floor, rooms in enumerate((GROUND, FIRST, SECOND)) for room in rooms}
SCRIPTS = 3

# They carry values and messages, and cannot change a result: no stage reruns because of them.
PLUMBING = {f"deepfake/{name}.py" for name in ("errors", "params", "tables", "stage")}
LONG_FILES = {"deepfake/params.py"}  # one schema for one file
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "base", "manager"}


def test_imports_only_go_down_and_rooms_of_a_floor_do_not_know_each_other() -> None:
    assert not list(floor_faults(SRC))


def test_the_map_of_the_house_names_every_room_and_nothing_else() -> None:
    text = ast.get_docstring(parse(SRC / "deepfake" / "__init__.py")) or ""
    rooms = [re.split(r" {2,}", line.strip())[0] for line in text.splitlines() if line.startswith("    ")]
    named = [name for room in rooms for name in room.split(", ")]
    assert sorted(named) == sorted({*FLOORS} - {"__init__"})


def test_no_module_is_imported_by_a_name_that_the_import_graph_cannot_see() -> None:
    called = [
        (path, node.func) for path in sources(SRC) for node in ast.walk(parse(path)) if isinstance(node, ast.Call)
    ]
    names = [(path, getattr(func, "id", getattr(func, "attr", ""))) for path, func in called]
    assert not [f"{path}: {name}" for path, name in names if name in {"import_module", "__import__"}]


def test_every_stage_depends_on_exactly_the_files_that_its_script_imports() -> None:
    faults = sorted({fault for name, stage in stages().items() for fault in dependency_faults(name, stage)})
    assert not faults, "\n" + "\n".join(faults)


def test_every_parameter_that_a_stage_names_is_in_params_yaml() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    keys = [(name, key) for name, stage in stages().items() for key in own_params(stage)]
    assert not [f"stage {name}: params.yaml has no {key}" for name, key in keys if not has_key(params, key)]


def test_no_stage_names_a_section_that_hides_a_key_which_the_run_cache_overlooks() -> None:
    """DVC leaves every nested `size` and `nfiles` out of a run's hash: results of another size would be handed out."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    keys = [(name, key) for name, stage in stages().items() for key in own_params(stage)]
    hidden = [(name, key, leaf) for name, key in keys for leaf in leaves(value_of(params, key))]
    assert not [
        f"stage {name}: list {key}.{leaf} by itself" for name, key, leaf in hidden if leaf in {"size", "nfiles"}
    ]


def test_every_public_function_and_class_of_the_library_has_a_docstring() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [
        (path, node)
        for path in sources(SRC / "deepfake")
        for node in parse(path).body
        if isinstance(node, kinds) and not node.name.startswith("_")
    ]
    assert not [f"{path}:{node.lineno} {node.name}" for path, node in public if not ast.get_docstring(node)]


def test_files_have_at_most_200_lines_and_functions_40_besides_their_docstring() -> None:
    assert not [*size_faults(SRC), *size_faults(BENCHMARKS)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in sources(SRC) if VAGUE_NAMES & {*path.relative_to(SRC).with_suffix("").parts}]


@pytest.mark.parametrize(
    ("path", "code", "fault"),
    [
        ("deepfake/metrics/ranking.py", "from deepfake.attacks import pgd", "deepfake/attacks/pgd.py"),
        ("deepfake/errors.py", "def late():\n    import deepfake.attacks.pgd", "deepfake/attacks/pgd.py"),
        ("deepfake/attacks/ball.py", "if TYPE_CHECKING:\n    from deepfake.training import loop", "training/loop.py"),
        ("deepfake/training/detection_losses.py", "import evaluate", "evaluate.py"),
        ("report.py", "from evaluate import main", "evaluate.py"),
        ("deepfake/attacks/ball.py", "from deepfake.attacks import pgd\nfrom deepfake import errors", ""),
        ("deepfake/cellar.py", "", "deepfake/cellar.py"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_found(tmp_path: Path, path: str, code: str, fault: str) -> None:
    for name in ("evaluate.py", "deepfake/errors.py", "deepfake/attacks/pgd.py", "deepfake/training/loop.py"):
        write(tmp_path / name, "")
    write(tmp_path / path, code)
    faults = list(floor_faults(tmp_path))
    assert len(faults) == bool(fault)
    assert all(fault in line for line in faults)


def test_a_closure_holds_indirect_imports_packages_with_code_and_templates_but_no_plumbing(tmp_path: Path) -> None:
    write(tmp_path / "fit.py", "import torch\nfrom deepfake.attacks import pgd\nfrom deepfake import errors, tables")
    write(tmp_path / "deepfake/__init__.py", '"""Nothing but words."""')
    write(tmp_path / "deepfake/errors.py", "")
    write(tmp_path / "deepfake/tables.py", "import deepfake.runtime")
    write(tmp_path / "deepfake/runtime.py", "")
    write(tmp_path / "deepfake/attacks/__init__.py", "from deepfake.attacks.ball import project")
    write(tmp_path / "deepfake/attacks/ball.py", "def project(): ...")
    write(tmp_path / "deepfake/attacks/pgd.py", "TEMPLATE = 'pgd.html.j2'")
    write(tmp_path / "deepfake/attacks/pgd.html.j2", "{{ not python")
    write(tmp_path / "deepfake/attacks/apgd.py", "")
    closure = [f"deepfake/attacks/{name}" for name in ("__init__.py", "ball.py", "pgd.html.j2", "pgd.py")]
    assert dependencies(tmp_path / "fit.py") == [*closure, "fit.py"]


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def write(path: Path, code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_files(path: Path, src: Path) -> set[Path]:
    """Files below `src` that `path` imports, the packages on the way included; anywhere in the file, types too."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    stems = [src.joinpath(*part[:length]) for part in parts for length in range(1, len(part) + 1)]
    candidates = {file for stem in stems for file in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")}
    return {file for file in candidates if file.is_file()} - {path}


def named_files(path: Path) -> set[Path]:
    """Files beside `path` that it names in a string, such as a template."""
    texts = {node.value for node in ast.walk(parse(path)) if isinstance(node, ast.Constant)}
    return {file for file in path.parent.iterdir() if file.name in texts and file.is_file()} - {path}


def dependencies(script: Path) -> list[str]:
    """What a script is made of, below its own folder: what it imports or names, transitively, but plumbing."""
    src, seen, waiting = script.parent, set[Path](), [script]
    while waiting:
        path = waiting.pop()
        if path not in seen and str(path.relative_to(src)) not in PLUMBING:
            seen.add(path)
            waiting += imported_files(path, src) | named_files(path) if path.suffix == ".py" else ()
    return sorted(str(path.relative_to(src)) for path in seen if path.name != "__init__.py" or has_code(path))


def has_code(path: Path) -> bool:
    return len(parse(path).body) > bool(ast.get_docstring(parse(path)))


def floor_faults(src: Path) -> Iterator[str]:
    """One line for every import that does not go down, and for every module that has no floor."""
    for path in sources(src):
        room, floor = place(path.relative_to(src))
        if floor is None:
            yield f"{path.relative_to(src)}: on which floor is {room}? See FLOORS in {Path(__file__).name}"
            continue
        for other in sorted(imported_files(path, src)):
            other_room, other_floor = place(other.relative_to(src))
            if other_floor is not None and room != other_room and other_floor >= max(floor, 1):
                yield f"{path.relative_to(src)} must not import {other.relative_to(src)}"


def place(path: Path) -> tuple[str, int | None]:
    room = path.with_suffix("").parts[:2][-1]
    return room, SCRIPTS if len(path.parts) == 1 else FLOORS.get(room)


def size_faults(src: Path) -> Iterator[str]:
    for path in sources(src):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > 200 and str(path.relative_to(src)) not in LONG_FILES:
            yield f"{path}: {lines} lines"
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef) and code_lines(node) > 40:
                yield f"{path}:{node.lineno}: {node.name} has {code_lines(node)} lines"


def code_lines(node: ast.FunctionDef) -> int:
    documented = node.body[0] if ast.get_docstring(node) else None
    described = (documented.end_lineno or 0) - documented.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - described


@cache
def stages() -> dict[str, dict[str, Any]]:
    """The stages of dvc.yaml as DVC itself expands them: foreach, matrix and templates resolved."""
    if not (ROOT / "dvc.yaml").exists():
        pytest.skip("there is no dvc.yaml yet")
    from dvc.parsing import DataResolver  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    return DataResolver(Repo(str(ROOT), uninitialized=True), str(ROOT), pipeline).resolve()["stages"]


def dependency_faults(name: str, stage: dict[str, Any]) -> Iterator[str]:
    """What to add to a stage's deps and what to remove, in lines to paste; nothing if they are right."""
    scripts = re.findall(r"\bsrc/\w+\.py", " ".join([stage["cmd"]] if isinstance(stage["cmd"], str) else stage["cmd"]))
    if absent := [script for script in scripts if not (ROOT / script).exists()]:
        yield f"stage {name.partition('@')[0]} runs {absent[0]}, which does not exist"
        return
    expected = {f"src/{file}" for script in scripts for file in dependencies(ROOT / script)}
    listed = [dep if isinstance(dep, str) else next(iter(dep)) for dep in stage.get("deps", [])]
    present = {dep for dep in listed if dep == "src" or dep.startswith("src/")}
    for title, lines in (("lacks", expected - present), ("must not have", present - expected)):
        if lines:
            yield f"stage {name.partition('@')[0]} {title}:\n{as_yaml(lines, 6 if '@' in name else 4)}"


def as_yaml(files: Iterable[str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}- {file}" for file in sorted(files))


def own_params(stage: dict[str, Any]) -> Iterator[str]:
    """Keys of params.yaml that a stage names, in either of DVC's two spellings."""
    for entry in stage.get("params", []):
        yield from [entry] if isinstance(entry, str) else entry.get("params.yaml") or []


def has_key(params: Any, key: str) -> bool:
    try:
        value_of(params, key)
    except (KeyError, TypeError):
        return False
    return True


def value_of(params: Any, key: str) -> Any:
    for part in key.split("."):
        params = params[part]
    return params


def leaves(value: Any) -> Iterator[str]:
    """Names of all keys inside a section."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from leaves(inner)


if __name__ == "__main__":
    for script in sorted(SRC.glob("*.py")):
        print(f"{script.name}:\n{as_yaml((f'src/{file}' for file in dependencies(script)), 4)}")
