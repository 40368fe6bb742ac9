"""Attacks of other libraries beside ours."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import independent
import pytest
import torch
from independent import Line, TwoLogits, compare
from reporting.made_up import write_score_folders
from torch import nn
from toy_detectors import EPS, Linear, draw_crops
from toy_project import Project

from deepfake.errors import SettingsError
from deepfake.reporting.conditions import WORST
from deepfake.reporting.scores import load_score_sets
from deepfake.tables import read_rows

QUICKLY = ["--role", "train", "--steps", "5", "--queries", "8"]


def test_every_attack_is_measured_within_our_budget(
    toy: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toy.root)
    args = [*QUICKLY, "--models", "baseline", "robust", "--eps", "8/255", "--out", str(tmp_path / "table")]
    independent.main(args)
    lines = read_rows(tmp_path / "table.csv", Line)
    attacks = ["APGD-5", "PGD-5", "Square-8", independent.TOGETHER]
    assert [(line.model, line.attack) for line in lines] == [(m, a) for m in ("baseline", "robust") for a in attacks]
    for model in ("baseline", "robust"):
        *each, together = (line for line in lines if line.model == model)
        assert together.theirs <= min(line.theirs for line in each)
        assert together.beyond >= max(line.beyond for line in each) >= 0
    independent.main([*args[:-1], str(tmp_path / "again")])
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "table.csv").read_text()


def test_what_theirs_find_beyond_ours_is_told(tmp_path: Path) -> None:
    write_score_folders(tmp_path, "robust", skill=0.9)
    (scores,) = load_score_sets(tmp_path, ["train"])
    eps, worst = next((eps, items) for eps, items in scores.eps_curve[WORST].items() if eps)
    fakes = [name for name, label in zip(worst.names, worst.labels, strict=True) if label]
    ours = dict(zip(worst.names, worst.scores.tolist(), strict=True))
    weak, strong = dict.fromkeys(fakes, 99.0), dict.fromkeys(fakes, -99.0)
    half = {name: -99.0 if place % 2 else 99.0 for place, name in enumerate(fakes)}
    found = {line.attack: line for line in compare(scores, eps, {"weak": weak, "strong": strong, "half": half})}
    assert (found["weak"].theirs, found["weak"].beyond) == (1, 0)
    assert (found["strong"].theirs, found["strong"].beyond) == (0, found["strong"].ours)
    assert 0 < found["half"].beyond < found["half"].ours
    assert found[independent.TOGETHER] == replace(found["strong"], attack=independent.TOGETHER)
    same = next(compare(scores, eps, {"same": {name: ours[name] for name in fakes}}))
    assert (same.theirs, same.beyond) == (same.ours, 0)
    assert "**yes**" in "".join(independent._notes(list(found.values()), "here"))
    assert "beyond ours: no" in "".join(independent._notes([same], "here"))


def test_theirs_are_attacks() -> None:
    """On a linear detector APGD and PGD reach the optimum, and Square lowers the logit."""
    linear = Linear().eval().requires_grad_(False)
    linear.weight.mul_(0.01)  # a cross-entropy of logits of some hundreds has no gradient
    x, _ = draw_crops(8, seed=4)
    args = Namespace(steps=20, queries=200)
    best = (x - EPS * linear.weight.sign().view(x.shape[1:])).clamp(0, 1).detach()
    apgd, pgd, square = (attack(x) for _, attack in independent._attacks(
        TwoLogits(linear, -5.0), EPS, args, torch.device("cpu")))  # fmt: skip
    assert torch.allclose(apgd, best, atol=1e-6)
    assert torch.allclose(pgd, best, atol=1e-6)
    assert (linear(square) < linear(x) - 0.2 * (linear(x) - linear(best))).all()


def test_two_logits_call_fake_what_is_above_the_floor() -> None:
    model = TwoLogits(nn.Flatten(0), floor=-2.0)
    assert model(torch.tensor([-3.0, -1.0, 4.0])).argmax(1).tolist() == [0, 1, 1]


def test_a_budget_or_detector_that_is_not_there_is_refused(toy: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(toy.root)
    for eps, model, why in (("7/255", "robust", "7/255 is not on the eps curve"), ("8/255", "best", "no best, only")):
        with pytest.raises(SettingsError, match=why):
            independent.main([*QUICKLY, "--eps", eps, "--models", model, "--out", "table"])
