"""The documents say what is there: links, make targets, options, parameters, and patches that fit the code."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_mutants import apply, copy_repository

from deepfake.params import load_params

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
RECIPES = {
    "adding_an_attack.md": ["tests/attacks/test_attacks.py", "-k", "momentum and ball or linear"],
    "adding_a_corruption.md": ["tests/corruptions/test_corruptions.py", "-k", "full_size"],
}
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


@PAGE
def test_every_make_target_and_script_option_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for line in commands(page):
        for target in re.findall(r"^(?:\S+=\S+ )*make ([a-z-]+(?: [a-z-]+)*)", line):
            assert set(target.split()) <= targets, line
        if script := re.search(r"\b((?:src|benchmarks|\.ci|tests)/\w+\.py)", line):
            known = (ROOT / script[1]).read_text()
            assert all(f'"{option}"' in known for option in re.findall(r" (--[a-z][a-z-]*)", line)), line


@PAGE
def test_every_parameter_that_a_command_sets_exists(page: Path) -> None:
    params = load_params(ROOT / "params.yaml").model_dump()
    for line in commands(page):
        for added, key in re.findall(r"(?:-S|--set-param) '?(\+?)~?([a-z_.]+)", line):
            assert added or has(params, key), f"{line}\nthere is no {key}"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipes_patches_fit_the_code_and_what_they_add_works(name: str, tmp_path: Path) -> None:
    patch = tmp_path / "recipe.patch"
    patch.write_text("".join(re.findall(r"```diff\n(.*?)```", (ROOT / "docs" / name).read_text(), flags=re.DOTALL)))
    copy = tmp_path / "copy"
    copy_repository(copy)
    apply(patch, copy)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    house = ["tests/test_house.py", "-k", "depends_on or size or floor"]
    for tests in (RECIPES[name], house):
        done = subprocess.run([*run, *tests], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:]


def commands(page: Path) -> Iterator[str]:
    """The lines of a page's shell blocks, continued lines joined, comments off."""
    for block in re.findall(r"```(?:bash|sh|console)\n(.*?)```", page.read_text(), flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.split(" # ")[0].strip().removeprefix("$ ")


def has(params: object, key: str) -> bool:
    """Whether nested mappings hold a dotted key."""
    for part in key.split("."):
        if not isinstance(params, dict) or part not in params:
            return False
        params = params[part]
    return True
