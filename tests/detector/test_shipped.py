"""The checkpoints that come with the project."""

from itertools import combinations

import pytest
import torch
from toy_project import REPOSITORY

from deepfake.detector.checkpoint import load_checkpoint

FOLDERS = ("release", "dfdc")
DETECTORS = ("baseline", "longer", "robust")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_detectors_of_a_folder_can_be_used_side_by_side(folder: str) -> None:
    checkpoints = [load_checkpoint(REPOSITORY / "models" / folder / f"{name}.pt") for name in DETECTORS]
    first = checkpoints[0]
    assert all(
        (one.detector, one.crops, one.faces) == (first.detector, first.crops, first.faces) for one in checkpoints
    )
    size = first.crops.size
    x = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    logits = [checkpoint.build(torch.device("cpu"))(x) for checkpoint in checkpoints]
    assert all(torch.isfinite(each).all() for each in logits)
    assert not any(torch.equal(one, other) for one, other in combinations(logits, 2))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_larger_than_what_belongs_in_git(folder: str) -> None:
    files = list((REPOSITORY / "models" / folder).glob("*.pt"))
    assert {path.stem for path in files} == set(DETECTORS)
    assert all(path.stat().st_size < 10_000_000 for path in files)
