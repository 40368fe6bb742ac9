"""Training that goes wrong: it goes back to what was good, or ends with a reason, and a kill changes neither."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toy_detectors import EPS, UNET, draw_crops, train_small

from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.metrics.ranking import roc_auc
from deepfake.params import RobustParams
from deepfake.records import FAKE, REAL
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.fit import Fit, prepare_fit
from deepfake.training.loop import MOST_SETBACKS, Losses, Task, TrainingError, keeping_best, run_fit
from deepfake.training.unet_opponent import DIVERGED

PARAMS = RobustParams(
    epochs=4, steps=4, batch_size=8, learning_rate=3e-3, warmup=0.3, weight_decay=0.01, label_smoothing=0.05,
    average_halflife=0.5, max_gradient_norm=1.0, eps=None, ramp=0.5, real_share=1.0, replays=1, pgd_step_size=1.25,
    pgd_steps=2, final_pgd_steps=4, final=0.25,
    pgd_loss="bce", clean_weight=1.0, pgd_weight=1.0, unet_weight=0.5, unet_learning_rate=1e-2, unet_share=1.0,
    batch_statistics="frozen", pool=2, max_clean_drop=0.03, watch_frames=4, watch_steps=5, max_overfit=0.2,
)  # fmt: skip
GOOD = {"val/auc": 1.0, "val/watch_auc": 0.6, "val/inner_auc": 0.7}
LOST = {"val/auc": 1.0, "val/watch_auc": 0.1, "val/inner_auc": 0.9}

Disturb = Callable[["Training", Losses], Losses]


def nothing(_: "Training", losses: Losses) -> Losses:
    return losses


def good(_: int) -> dict[str, float]:
    return GOOD


class Training:
    """A fit whose losses, adversaries and metrics can be disturbed, by the epoch."""

    def __init__(self, disturb: Disturb = nothing, metrics: Callable[[int], dict[str, float]] = good) -> None:
        torch.manual_seed(0)
        self.fighting = Adversaries(PARAMS, UNET, Opponents(), PerturbationUNet(UNET.width), eps=EPS)
        self.fit = prepare_fit(train_small().requires_grad_(True), PARAMS)
        self.fit.companions["adversaries"] = self.fighting
        self.disturb, self.metrics = disturb, metrics

    @property
    def epoch(self) -> int:
        return len(self.fit.history)

    def run(self, state: Path, *, dies_at: tuple[int, int] | None = None) -> None:
        def batches(epoch: int) -> Iterator[Batch]:
            for step in range(PARAMS.steps):
                if dies_at == (epoch, self.fit.setbacks) and step == 2:
                    raise KeyboardInterrupt
                yield Batch(*draw_crops(PARAMS.batch_size, seed=100 * epoch + step), [])

        def step(model: nn.Module, batch: Batch) -> Losses:
            return self.disturb(self, self.fighting.step(model, batch))

        def validate(_: nn.Module) -> dict[str, float]:
            return self.fighting.observed() | self.metrics(self.epoch)

        task = Task(batches, step, validate, lambda metrics: (metrics["val/watch_auc"],), self.fighting.review)
        run_fit(self.fit, task, PARAMS, seed=1, state=state, log=lambda _: None)


def infinite_once(training: Training, losses: Losses) -> Losses:
    """In epoch 2 the loss is infinite, until the learning rate is lower."""
    disturbed = training.epoch == 1 and training.fit.setbacks == 0
    return {**losses, "clean": losses["clean"] * math.inf} if disturbed else losses


def infinite_gradient_once(training: Training, losses: Losses) -> Losses:
    """In epoch 2 the loss is finite and its gradient is not."""
    if training.epoch == 1 and training.fit.setbacks == 0:
        losses["clean"].register_hook(lambda gradient: gradient * math.inf)
    return losses


def weights_of(fit: Fit) -> dict[str, Tensor]:
    return {**fit.average.state_dict(), **fit.companions["adversaries"].state_dict()["opponent"]["unet"]}


def assert_same(one: Fit, other: Fit) -> None:
    assert one.history == other.history
    for name, value in weights_of(one).items():
        assert torch.equal(value, weights_of(other)[name]), name


@pytest.mark.parametrize("disturb", [infinite_once, infinite_gradient_once])
def test_an_epoch_whose_numbers_are_none_is_begun_again_with_half_the_learning_rate(
    tmp_path: Path, disturb: Disturb, capsys: pytest.CaptureFixture[str]
) -> None:
    training, undisturbed = Training(disturb), Training()
    training.run(tmp_path / "a.pt")
    undisturbed.run(tmp_path / "b.pt")
    assert training.fit.setbacks == 1
    assert len(training.fit.history) == PARAMS.epochs
    assert training.fit.history[0] == undisturbed.fit.history[0]
    assert all(math.isfinite(value) for metrics in training.fit.history for value in metrics.values())
    rates = [each.fit.optimizer.param_groups[0]["lr"] for each in (training, undisturbed)]
    assert rates[0] == pytest.approx(rates[1] / 2)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "half the learning rate" in line]
    assert "epoch 2: the" in line
    assert "back to epoch 1" in line


@pytest.mark.parametrize("dies_at", [(0, 0), (1, 1), (2, 1)], ids=["before", "in the repeated epoch", "after"])
def test_a_kill_changes_nothing_about_going_back(tmp_path: Path, dies_at: tuple[int, int]) -> None:
    whole, killed, resumed = (Training(infinite_once) for _ in range(3))
    whole.run(tmp_path / "a.pt")
    with pytest.raises(KeyboardInterrupt):
        killed.run(tmp_path / "b.pt", dies_at=dies_at)
    resumed.run(tmp_path / "b.pt")
    assert resumed.fit.setbacks == 1
    assert_same(resumed.fit, whole.fit)


def test_a_training_that_is_given_up_says_where_its_best_epoch_is(tmp_path: Path) -> None:
    def infinite(training: Training, losses: Losses) -> Losses:
        return {"clean": losses["clean"] * math.inf} if training.epoch == 2 else losses

    training = Training(infinite, lambda epoch: {**GOOD, "val/watch_auc": [0.6, 0.5][epoch]})
    state, fit = tmp_path / "state.pt", training.fit
    with (
        pytest.raises(TrainingError, match=r"epoch 3: the loss .* \(clean inf\).*epoch 1, .*state\.best\.pt"),
        keeping_best(fit, state, lambda path: torch.save(fit.best_weights, path)),
    ):
        training.run(state)
    assert fit.setbacks == MOST_SETBACKS
    kept = torch.load(tmp_path / "state.best.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in kept.values())


def test_an_epoch_whose_scores_are_none_is_begun_again_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = Training()

    def validation(epoch: int) -> dict[str, float]:
        logits = [0.0, math.inf if epoch == 1 and training.fit.setbacks == 0 else 1.0]
        return {**GOOD, "val/auc": roc_auc(logits, [REAL, FAKE])}

    training.metrics = validation
    training.run(tmp_path / "state.pt")
    assert training.fit.setbacks == 1
    assert "epoch 2: in validation 1 of 2 scores are not finite" in capsys.readouterr().err


def test_a_learning_rate_beyond_reason_is_halved_and_then_given_up(tmp_path: Path) -> None:
    training = Training()
    for group in training.fit.optimizer.param_groups:
        group |= {"lr": 1e30, "initial_lr": 1e30, "max_lr": 1e30}
    with pytest.raises(TrainingError, match="epoch 1: the loss is not finite"):
        training.run(tmp_path / "state.pt")
    assert training.fit.setbacks == MOST_SETBACKS


def nan_unet_once(training: Training, losses: Losses) -> Losses:
    """In epoch 2 the U-Net turns into numbers that are none."""
    if training.epoch == 1 and not training.fighting.state_dict()["opponent"]["setbacks"]:
        with torch.no_grad():
            training.fighting.unet.out.weight.fill_(math.nan)
    return losses


def test_a_unet_that_diverged_goes_back_to_its_last_good_weights_and_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, killed, resumed = (Training(nan_unet_once) for _ in range(3))
    whole.run(tmp_path / "a.pt")
    assert "the U-Net's loss diverged: back to its last good weights, learning rate 0.005" in capsys.readouterr().err
    assert whole.fit.setbacks == 0, "the detector did not suffer"
    assert all(torch.isfinite(value).all() for value in weights_of(whole.fit).values())
    assert all(math.isfinite(value) for metrics in whole.fit.history for value in metrics.values())
    with pytest.raises(KeyboardInterrupt):
        killed.run(tmp_path / "b.pt", dies_at=(2, 0))
    resumed.run(tmp_path / "b.pt")
    assert_same(resumed.fit, whole.fit)


def test_a_unet_whose_loss_explodes_does_not_join_its_earlier_selves(tmp_path: Path) -> None:
    exploding = Training(metrics=lambda epoch: {**GOOD, "train/attack": 2 * DIVERGED} if epoch == 1 else GOOD)
    exploding.run(tmp_path / "state.pt")
    assert exploding.fighting.state_dict()["opponent"]["setbacks"] == 1
    assert exploding.fit.history[1]["train/attack"] > DIVERGED


def test_a_unet_that_diverges_again_and_again_ends_training(tmp_path: Path) -> None:
    def always(training: Training, losses: Losses) -> Losses:
        with torch.no_grad():
            training.fighting.unet.out.weight.fill_(math.nan)
        return losses

    with pytest.raises(TrainingError, match=r"the U-Net diverges again and again; try a lower robust\.unet_learning"):
        Training(always).run(tmp_path / "state.pt")


def test_overfitting_takes_back_optimisers_and_the_unet_too_and_survives_a_kill(tmp_path: Path) -> None:
    whole, killed, resumed = (Training(metrics=lambda epoch: [GOOD, LOST, GOOD, GOOD][epoch]) for _ in range(3))
    seen: list[dict[str, Tensor]] = []
    review = whole.fighting.review

    def watched(fit: Fit) -> None:
        review(fit)
        moments = fit.optimizer.state_dict()["state"]
        seen.append({**{n: v.clone() for n, v in weights_of(fit).items()}, "moment": moments[0]["exp_avg"].clone()})

    whole.fighting.review = watched  # type: ignore[method-assign]
    whole.run(tmp_path / "a.pt")
    counted = {"n_averaged"}
    assert all(torch.equal(seen[1][name], seen[0][name]) for name in seen[0].keys() - counted)
    assert not torch.equal(seen[2]["moment"], seen[1]["moment"])
    with pytest.raises(KeyboardInterrupt):
        killed.run(tmp_path / "b.pt", dies_at=(2, 0))
    resumed.run(tmp_path / "b.pt")
    assert_same(resumed.fit, whole.fit)


def test_a_detector_that_overfits_again_and_again_ends_training() -> None:
    fighting = Adversaries(PARAMS, UNET, Opponents(), PerturbationUNet(UNET.width), eps=EPS)
    fit = prepare_fit(train_small(), PARAMS)
    fit.history.append(GOOD)
    fighting.review(fit)
    fit.history.append(LOST)
    for _ in range(MOST_SETBACKS):
        fighting.review(fit)
    with pytest.raises(TrainingError, match=r"epoch 2 overfitted.*raise robust\.pgd_steps"):
        fighting.review(fit)
