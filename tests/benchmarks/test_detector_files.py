"""What a benchmark is handed on its command line is what its table will say."""

from pathlib import Path

import pytest
import torch
from detector_files import open_attacker

from deepfake.attacks.learned import save_attacker
from deepfake.attacks.unet import PerturbationUNet
from deepfake.errors import SettingsError


def test_an_attacker_of_another_budget_is_refused(tmp_path: Path) -> None:
    path, device = tmp_path / "attacker.pt", torch.device("cpu")
    save_attacker(path, PerturbationUNet(4), 4 / 255)
    assert open_attacker(path, 4 / 255, device).eps == pytest.approx(4 / 255)
    with pytest.raises(SettingsError, match=r"attacker\.pt: fitted for a budget of 4/255, not 8/255"):
        open_attacker(path, 8 / 255, device)
