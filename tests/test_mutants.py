"""The mutants fit the code; that each is noticed is what `make test-mutants` shows."""

from pathlib import Path

import pytest
from run_mutants import ROOT, Mutant, apply, copy_repository, read_mutants

MUTANTS = read_mutants()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants") / "copy"
    copy_repository(folder)
    return folder


def test_there_is_one_for_each_failure_of_the_reference() -> None:
    assert [mutant.patch.stem[:2] for mutant in MUTANTS] == [f"{number:02d}" for number in range(1, 11)]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.patch.stem)
def test_it_fits_the_code_and_names_tests_that_exist(mutant: Mutant, copy: Path) -> None:
    apply(mutant.patch, copy, "--check")
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
