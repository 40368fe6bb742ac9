"""What all tests share: the toy project, run once, and how tests are spread over processes."""

import os
from pathlib import Path

import pytest
from toy_project import Project, run_toy

TESTS = Path(__file__).parent
TOY = "toy"


def pytest_configure() -> None:
    """One thread for each of several test processes: two that compute with all cores take turns at waiting."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("DEEPFAKE_WORKERS", "1")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one folder share what it took long to make; those of the toy project take longest and go first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: _group(item) != TOY)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The toy project after `dvc repro`, committed. Read it; copy it before changing it."""
    return run_toy(tmp_path_factory.mktemp("toy") / "project")


def _group(item: pytest.Item) -> str:
    return TOY if TOY in getattr(item, "fixturenames", ()) else item.path.relative_to(TESTS).parts[0]
