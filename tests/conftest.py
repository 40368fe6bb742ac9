"""What all tests share: the toy project, run once."""

import pytest
from toy_project import Project, run_toy


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The toy project after `dvc repro`, committed. Read it; copy it before changing it."""
    return run_toy(tmp_path_factory.mktemp("toy") / "project")
