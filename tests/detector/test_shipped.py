"""The checkpoints that come with the project."""

import pytest
import torch
from toy_project import REPOSITORY

from deepfake.detector.checkpoint import load_checkpoint

FOLDERS = ("release", "dfdc")


@pytest.mark.parametrize("folder", FOLDERS)
def test_both_detectors_of_a_folder_can_be_used_side_by_side(folder: str) -> None:
    paths = [REPOSITORY / "models" / folder / f"{name}.pt" for name in ("baseline", "robust")]
    baseline, robust = (load_checkpoint(path) for path in paths)
    assert (baseline.detector, baseline.crops, baseline.faces) == (robust.detector, robust.crops, robust.faces)
    size = robust.crops.size
    x = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    logits = [checkpoint.build(torch.device("cpu"))(x) for checkpoint in (baseline, robust)]
    assert all(torch.isfinite(each).all() for each in logits)
    assert not torch.equal(*logits)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_larger_than_what_belongs_in_git(folder: str) -> None:
    files = list((REPOSITORY / "models" / folder).glob("*.pt"))
    assert len(files) == 2
    assert all(path.stat().st_size < 10_000_000 for path in files)
