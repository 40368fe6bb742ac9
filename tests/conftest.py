"""What all tests share: the toy project, run once in each process, and how many threads a process has."""

import os

import pytest
from hypothesis import settings
from toy_project import Project, run_toy


def pytest_configure() -> None:
    """One thread for each of several test processes: two that compute with all cores take turns at waiting.

    Examples that are drawn have no deadline: how long one takes says something of the machine only.
    """
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("DEEPFAKE_WORKERS", "1")


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The toy project after `dvc repro`, committed. Read it; copy it before changing it."""
    return run_toy(tmp_path_factory.mktemp("toy") / "project")
