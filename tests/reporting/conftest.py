"""Synthetic inputs of the report stage: known skill, known damage, known strength of attack, known coverage."""

import shutil
from pathlib import Path

import pytest
from reporting.made_up import write_explanations, write_models, write_panels, write_score_folders, write_trainings

from deepfake.params import Params, load_params
from deepfake.reporting.matrix import MetricRow, build_matrix
from deepfake.reporting.pairing import Pair, pair_models
from deepfake.reporting.scores import ScoreSet, load_score_sets

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def score_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Score folders of baseline, control and robust model on both roles."""
    root = tmp_path_factory.mktemp("scores")
    write_score_folders(root, "baseline", skill=1.0)
    write_score_folders(root, "longer", skill=0.95)
    write_score_folders(root, "robust", skill=0.9)
    return root


@pytest.fixture
def editable_scores(score_root: Path, tmp_path: Path) -> Path:
    """A copy of the score folders to damage."""
    return Path(shutil.copytree(score_root, tmp_path / "scores"))


@pytest.fixture(scope="session")
def with_control(score_root: Path) -> list[ScoreSet]:
    """Baseline on train and cross, longer on train and cross, robust on train and cross."""
    return load_score_sets(score_root, ("train", "cross"))


@pytest.fixture(scope="session")
def score_sets(with_control: list[ScoreSet]) -> list[ScoreSet]:
    """Baseline on train and cross, robust on train and cross."""
    return [scores for scores in with_control if scores.model != "longer"]


@pytest.fixture(scope="session")
def params() -> Params:
    """The shipped parameters, with fewer resamples."""
    shipped = load_params(ROOT / "params.yaml")
    return shipped.model_copy(update={"report": shipped.report.model_copy(update={"resamples": 100})})


@pytest.fixture(scope="session")
def rows(score_sets: list[ScoreSet], params: Params) -> list[MetricRow]:
    return build_matrix(score_sets, params.report, params.seed)


@pytest.fixture(scope="session")
def pairs(score_sets: list[ScoreSet], params: Params) -> list[Pair]:
    return pair_models(score_sets, params.report, params.seed)


@pytest.fixture(scope="session")
def input_root(score_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the report stage reads beside scores: models, explanations, panels and training curves."""
    root = tmp_path_factory.mktemp("inputs")
    write_explanations(root / "explain", score_root)
    write_models(root / "models")
    write_panels(root / "gradcam")
    write_trainings(root / "training")
    return root


@pytest.fixture(scope="session")
def curve_root(input_root: Path) -> Path:
    """Training curves as dvclive writes them."""
    return input_root / "training"
