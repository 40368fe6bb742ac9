from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from deepfake.crops.batches import Batch
from deepfake.params import TrainingParams
from deepfake.training.detection_losses import clean_step
from deepfake.training.fit import Fit, open_training_device, prepare_fit
from deepfake.training.loop import Task, TrainingError, run_fit

PARAMS = TrainingParams(
    epochs=4, steps=5, batch_size=16, learning_rate=0.05, warmup=0.3, weight_decay=0.01, label_smoothing=0.05,
    average_halflife=0.5, max_gradient_norm=1.0,
)  # fmt: skip


class Toy(nn.Module):
    """A detector with all that a state must keep: batch statistics and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(48, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(1)


def toy_batches(epoch: int) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(epoch)
    for _ in range(PARAMS.steps):
        y = torch.randint(0, 2, (16,), generator=generator).float()
        x = torch.rand(16, 3, 4, 4, generator=generator) * 0.5
        x[:, 0] += 0.5 * y[:, None, None]
        yield Batch(x, y, [])


def validate(model: nn.Module) -> dict[str, float]:
    model.eval()
    with torch.no_grad():
        losses = [clean_step(0.0)(model, batch)["clean"].item() for batch in toy_batches(99)]
    return {"val/loss": sum(losses) / len(losses)}


def task(**changes: object) -> Task:
    parts = {"batches": toy_batches, "step": clean_step(0.05), "validate": validate,
             "rank": lambda metrics: (-metrics["val/loss"],)}  # fmt: skip
    return Task(**{**parts, **changes})  # type: ignore[arg-type]


def toy_fit(params: TrainingParams = PARAMS) -> Fit:
    torch.manual_seed(0)
    return prepare_fit(Toy(), params)


def run(fit: Fit, state: Path, a_task: Task | None = None) -> list[dict[str, float]]:
    logged: list[dict[str, float]] = []
    run_fit(fit, a_task or task(), PARAMS, seed=1, state=state, log=logged.append)
    return logged


def test_training_lowers_the_validation_loss(tmp_path: Path) -> None:
    history = run(toy_fit(), tmp_path / "state.pt")
    assert len(history) == PARAMS.epochs
    assert history[-1]["val/loss"] < 0.6 * history[0]["val/loss"]


def test_the_best_epoch_is_kept_and_not_the_last(tmp_path: Path) -> None:
    ranks = iter([1.0, 3.0, 2.0, 0.0])
    fit = toy_fit()
    weights: list[dict[str, Tensor]] = []

    def judge(model: nn.Module) -> dict[str, float]:
        weights.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"val/rank": next(ranks)}

    run(fit, tmp_path / "state.pt", task(validate=judge, rank=lambda metrics: (metrics["val/rank"],)))
    assert fit.best_epoch == 1
    assert all(torch.equal(fit.best_weights[name], weights[1][name]) for name in weights[1])


@pytest.mark.parametrize("killed_after", [1, 3])
def test_a_killed_run_goes_on_to_the_very_same_weights(tmp_path: Path, killed_after: int) -> None:
    undisturbed = toy_fit()
    run(undisturbed, tmp_path / "a.pt")

    class KilledError(Exception):
        pass

    def dying_batches(epoch: int) -> Iterator[Batch]:
        for number, batch in enumerate(toy_batches(epoch)):
            if epoch == killed_after and number == 3:
                raise KilledError
            yield batch

    with pytest.raises(KilledError):
        run(toy_fit(), tmp_path / "b.pt", task(batches=dying_batches))
    resumed = toy_fit()
    history = run(resumed, tmp_path / "b.pt")
    assert history == undisturbed.history, "the curves must be whole, the epochs before the kill included"
    for name, value in undisturbed.best_weights.items():
        assert torch.equal(resumed.best_weights[name], value), name


def test_a_loss_that_is_not_finite_stops_training_by_name(tmp_path: Path) -> None:
    def broken(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return {"clean": model(batch.x).mean() * float("nan")}

    with pytest.raises(TrainingError, match=r"epoch 1: the loss is not finite \(clean nan\)"):
        run(toy_fit(), tmp_path / "state.pt", task(step=broken))


def test_training_that_moves_nothing_is_an_error(tmp_path: Path) -> None:
    fit = toy_fit()
    for group in fit.optimizer.param_groups:
        group["lr"] = 0.0
    fit.schedule = torch.optim.lr_scheduler.ConstantLR(fit.optimizer)
    with pytest.raises(TrainingError, match="no parameter moved"):
        run(fit, tmp_path / "state.pt")


def test_clipping_bounds_the_step_that_is_taken(tmp_path: Path) -> None:
    seen: list[float] = []
    fit = toy_fit()
    fit.schedule = torch.optim.lr_scheduler.ConstantLR(fit.optimizer)
    take = fit.optimizer.step

    def watched(*_: object) -> object:
        gradients = [p.grad.norm() for p in fit.model.parameters() if p.grad is not None]
        seen.append(torch.stack(gradients).norm().item())
        return take()

    fit.optimizer.step = watched  # type: ignore[method-assign,assignment]
    run(fit, tmp_path / "s.pt", task(step=lambda m, b: {"clean": 1000 * clean_step(0.05)(m, b)["clean"]}))
    assert max(seen) <= PARAMS.max_gradient_norm * 1.001


def test_the_average_is_exponential_and_includes_batch_statistics(tmp_path: Path) -> None:
    fit = toy_fit()
    names = ("layers.1.weight", "layers.2.running_mean")
    trail: list[dict[str, Tensor]] = []

    def watched(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        trail.append({name: model.state_dict()[name].clone() for name in names})
        return clean_step(0.05)(model, batch)

    run(fit, tmp_path / "state.pt", task(step=watched))
    after_each_step = [*trail[1:], fit.model.state_dict()]
    decay = 0.5 ** (1 / (PARAMS.average_halflife * PARAMS.steps))
    for name in names:
        expected = after_each_step[0][name]
        for weights in after_each_step[1:]:
            expected = decay * expected + (1 - decay) * weights[name]
        assert torch.allclose(fit.average.module.state_dict()[name], expected, atol=1e-5)


@pytest.mark.parametrize(("variable", "threads"), [(None, 2), ("1", 1)])
def test_training_takes_two_cpu_threads_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, threads: int
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("DEEPFAKE_DEVICE", "cpu")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    try:
        torch.set_num_threads(1)
        assert open_training_device() == torch.device("cpu")
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
