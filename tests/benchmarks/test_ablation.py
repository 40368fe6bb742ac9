from pathlib import Path

import ablation
import pytest
import torch
import yaml
from ablation_rows import BASE, DEFAULT, ROWS, recipe_of
from ablation_table import Line, to_markdown, units
from toy_project import REPOSITORY

from deepfake.errors import SettingsError
from deepfake.params import Params, RobustParams, load_params


@pytest.fixture
def params() -> Params:
    return load_params(REPOSITORY / "params.yaml")


@pytest.mark.parametrize("name", ROWS)
def test_a_row_changes_what_its_name_says_and_nothing_that_the_schema_refuses(
    name: str, params: Params, tmp_path: Path
) -> None:
    row = ROWS[name]
    base, changed = (ablation.settings_of(each, params, 16) for each in (ROWS[BASE], row))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(changed))
    assert (changed != base or row.adversaries != "both") == (name != BASE)
    same = load_params(tmp_path / "params.yaml").model_copy(update={"seed": params.seed}) == params
    of_default = recipe_of(name) == DEFAULT or name == "batches of 64, PGD only"  # the same parameters, one adversary
    assert same == of_default


def test_no_two_rows_are_the_same() -> None:
    told = [(row.adversaries, str(row.changes), row.length) for row in ROWS.values()]
    assert len(set(told)) == len(told)


def test_units_count_passes_of_the_detector(params: Params) -> None:
    def cost(adversaries: str, **changes: object) -> float:
        return units(RobustParams(**{**params.robust.model_dump(), "unet_share": 1.0, **changes}), adversaries)

    pgd_10 = {"replays": 1, "pgd_steps": 10, "final_pgd_steps": 10}
    assert cost("none") == 1
    assert cost("pgd", **pgd_10) == 12
    assert cost("both", **pgd_10) == 14, "PGD-10, U-Net and clean, as the field counts it"
    assert cost("pgd", replays=4) == 2, "free PGD costs the pass that trains on it"
    assert cost("unet", replays=4, unet_share=0.5) == 1 + 0.5 * (1 + 0.25)


def test_the_table_has_a_line_a_row_and_says_how_it_was_made(params: Params) -> None:
    text = to_markdown([Line("TRADES", 2.5, 7.04, 0.9, 0.7, 0.6, 0.5, 0.4)], params, 3, torch.device("cpu"))
    assert "| TRADES | 2.5 | 7 | 0.900 | 0.700 | 0.600 | 0.500 | 0.400 |" in text
    assert f"{3 * params.robust.steps} optimiser steps" in text


def test_seeds_of_a_recipe_share_a_line_with_their_mean_and_range(params: Params) -> None:
    lines = [
        Line(name, 2.0, 3.0, clean, 0.7, 0.6, 0.5, 0.4) for name, clean in (("a", 0.9), ("b", 0.5), ("a, seed 2", 0.8))
    ]
    text = to_markdown(lines, params, 3, torch.device("cpu"))
    assert "| a (2 seeds) | 2 | 3 (3 to 3) | 0.850 (0.800 to 0.900) |" in text
    assert "| b | 2 | 3 | 0.500 |" in text


def test_epochs_of_which_a_row_would_take_a_broken_number_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(REPOSITORY)
    files = ["--baseline", "b.pt", "--attacker", "a.pt", "--crops", str(tmp_path), "--out", str(tmp_path / "t")]
    with pytest.raises(SettingsError, match=r"--epochs 4: 'PGD of 3 steps.* takes 0\.5625 of them"):
        ablation.main([*files, "--epochs", "4"])


def test_an_unknown_row_is_refused_with_those_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(REPOSITORY)
    files = ["--baseline", "b.pt", "--attacker", "a.pt", "--crops", str(tmp_path), "--out", str(tmp_path / "t")]
    with pytest.raises(SettingsError, match=r"no 'TRADE'; there are the base: batches of 32, .*TRADES"):
        ablation.main([*files, "--rows", "TRADE"])
