"""Training against two adversaries, on a detector small enough to see that it really happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toy_detectors import EPS, UNET, Small, draw_crops, objective_of, train_small

from deepfake.attacks.pgd import PGD
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.params import RobustParams
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.detection_losses import divergence
from deepfake.training.fit import Fit, prepare_fit
from deepfake.training.free_pgd import replayed
from deepfake.training.loop import Task, TrainingError, run_fit

PARAMS = RobustParams(
    epochs=4, steps=6, batch_size=16, learning_rate=3e-3, warmup=0.3, weight_decay=0.01, label_smoothing=0.05,
    average_halflife=0.5, max_gradient_norm=1.0, eps=None, ramp=0.5, real_share=1.0, replays=1, pgd_step_size=1.25,
    pgd_steps=2, final_pgd_steps=4, final=0.25,
    pgd_loss="bce", clean_weight=1.0, pgd_weight=1.0, unet_weight=0.5, unet_learning_rate=1e-2, unet_share=1.0,
    batch_statistics="frozen", pool=2, max_clean_drop=0.03, watch_frames=4, watch_steps=5, max_overfit=0.2,
)  # fmt: skip


def adversaries(params: RobustParams = PARAMS, opponents: Opponents | None = None) -> Adversaries:
    torch.manual_seed(0)
    return Adversaries(params, UNET, opponents or Opponents(), PerturbationUNet(UNET.width), eps=EPS)


def batches(epoch: int, params: RobustParams = PARAMS) -> Iterator[Batch]:
    for step in range(params.steps):
        x, y = draw_crops(params.batch_size, seed=10_000 * epoch + step)
        yield Batch(x, y, [])


def attacked(model: nn.Module) -> Tensor:
    """How far logits are on the wrong side under a PGD that training never used."""
    x, y = draw_crops(64, seed=77)
    return objective_of(model, PGD(EPS, steps=20)(model, x, y, list(range(64))), y)


def fit_robustly(
    model: nn.Module, params: RobustParams, state: Path, opponents: Opponents | None = None, dies_in: int | None = None
) -> Fit:
    fighting = adversaries(params, opponents)
    fit = prepare_fit(model.requires_grad_(True), params)
    fit.companions["adversaries"] = fighting

    def until_death(epoch: int) -> Iterator[Batch]:
        for number, batch in enumerate(batches(epoch, params)):
            if epoch == dies_in and number == 2:
                raise KeyboardInterrupt
            yield batch

    def validate(_: nn.Module) -> dict[str, float]:
        return fighting.observed() | {"val/auc": 1.0, "val/watch_auc": 0.5, "val/inner_auc": 0.5, "val/unet_auc": 0.5}

    task = Task(until_death, fighting.step, validate, lambda _: (0.0,), review=fighting.review)
    run_fit(fit, task, params, seed=1, state=state, log=lambda _: None)
    return fit


def test_training_against_them_makes_the_detector_withstand_an_attack_that_broke_it(tmp_path: Path) -> None:
    longer = PARAMS.model_copy(update={"epochs": 6, "steps": 40, "batch_size": 32, "learning_rate": 1e-2})
    start = train_small()
    before = attacked(start)
    robust, control = (
        fit_robustly(train_small(), longer, tmp_path / f"{name}.pt", opponents).model
        for name, opponents in (("both", Opponents()), ("none", Opponents(pgd=False, unet=False)))
    )
    assert (before > 0).float().mean() > 0.9, "the baseline is broken by the attack"
    assert (attacked(control) > 0).float().mean() > 0.9, "further training alone does not help"
    assert (attacked(robust) > 0).float().mean() < 0.35


def test_each_adversary_raises_the_loss_that_the_detector_trains_on() -> None:
    model, fighting = train_small(), adversaries(PARAMS.model_copy(update={"ramp": 0.0}))
    model.requires_grad_(True)
    for batch in batches(0, PARAMS.model_copy(update={"steps": 40})):
        losses = fighting.step(model, batch)
    assert losses.keys() == {"clean", "pgd", "unet"}
    assert losses["pgd"] > losses["clean"] + 1
    assert 2 * losses["unet"] > losses["clean"] + 1, "its weight is one half"
    assert all(loss.requires_grad for loss in losses.values())


@pytest.mark.parametrize(
    ("opponents", "names"),
    [(Opponents(unet=False), {"clean", "pgd"}), (Opponents(pgd=False), {"clean", "unet"}),
     (Opponents(pgd=False, unet=False), {"clean"})],
)  # fmt: skip
def test_adversaries_can_be_left_out(opponents: Opponents, names: set[str]) -> None:
    assert adversaries(opponents=opponents).step(train_small(), next(batches(0))).keys() == names


@pytest.mark.parametrize("replays", [1, 3], ids=["as attacked", "free"])
def test_reals_are_attacked_by_their_share_of_the_budget(replays: int) -> None:
    params = PARAMS.model_copy(update={"ramp": 0.0, "real_share": 0.5, "replays": replays, "pgd_step_size": 1.0})
    model, fighting = train_small(), adversaries(params)
    model.requires_grad_(True)
    met: list[Tensor] = []
    hook = model.register_forward_pre_hook(lambda _, given: met.append(given[0].detach()))
    for batch in replayed(batches(0), replays):
        met.clear()
        torch.stack(list(fighting.step(model, batch).values())).sum().backward()
        _, pgd, unet = met[-1].split(len(batch.y))  # what the detector is trained on is what it sees last
        far = [(x_adv - batch.x).abs().amax((1, 2, 3)) for x_adv in (pgd, unet)]
    hook.remove()
    for moved in far:
        assert moved[batch.y == 1] == pytest.approx(EPS, abs=EPS / 10)
        assert moved[batch.y == 0] == pytest.approx(EPS / 2, abs=EPS / 10)


def test_the_budget_ramps_up_and_the_inner_attack_gets_stronger_at_the_end() -> None:
    model, fighting = train_small(), adversaries()
    budgets, steps = [], []
    for epoch in range(PARAMS.epochs):
        for batch in batches(epoch):
            budgets.append(fighting.budget)
            steps.append(fighting.inner_attack.steps)
            fighting.step(model, batch)
    assert budgets[:3] == pytest.approx([EPS / 12, EPS * 2 / 12, EPS * 3 / 12])
    assert budgets[11:] == [EPS] * 13
    assert steps == [2] * 18 + [4] * 6


@pytest.mark.parametrize("statistics", ["frozen", "mixed"])
def test_batch_statistics_stay_as_the_baseline_left_them_if_that_is_wanted(statistics: str) -> None:
    model = train_small().train()
    before = model.layers[1].running_mean.clone()  # type: ignore[operator]
    adversaries(PARAMS.model_copy(update={"batch_statistics": statistics})).step(model, next(batches(0)))
    assert torch.equal(model.layers[1].running_mean, before) == (statistics == "frozen")  # type: ignore[arg-type]
    assert model.layers[6].training, "dropout stays on"


def test_a_killed_fit_resumes_to_the_same_weights_and_adversaries(tmp_path: Path) -> None:
    whole = fit_robustly(train_small(), PARAMS, tmp_path / "a.pt")
    with pytest.raises(KeyboardInterrupt):
        fit_robustly(train_small(), PARAMS, tmp_path / "b.pt", dies_in=2)
    resumed = fit_robustly(train_small(), PARAMS, tmp_path / "b.pt")
    assert resumed.history == whole.history
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, resumed.average.state_dict()[name]), name
    unets = [fit.companions["adversaries"].state_dict()["opponent"]["unet"] for fit in (whole, resumed)]
    for name, value in unets[0].items():
        assert torch.equal(value, unets[1][name]), name


def test_the_detector_also_meets_earlier_selves_of_the_unet() -> None:
    fighting, fit = adversaries(), prepare_fit(train_small(), PARAMS)
    for epoch in range(3):
        for batch in batches(epoch):
            fighting.step(fit.model, batch)
        fit.history.append({"val/watch_auc": 0.5, "val/inner_auc": 0.5})
        fighting.review(fit)
    pool = fighting.state_dict()["opponent"]["pool"]
    assert len(pool) == PARAMS.pool
    assert not torch.equal(pool[0]["out.weight"], pool[1]["out.weight"])
    for weights in pool:  # from now on recognisable: an earlier self lightens every pixel by all that is allowed
        weights["out.weight"].zero_()
        weights["out.bias"].fill_(9)
    x, y = draw_crops(16, seed=5)
    batch = Batch(x.clamp(max=1 - EPS), y, [])
    met = [fighting._next_round(fit.model, batch).x_unet for _ in range(40)]
    earlier = sum(bool((x_unet - batch.x).min() > 0.9 * EPS) for x_unet in met if x_unet is not None)
    assert 8 <= earlier <= 32, "half of the times"


def test_an_epoch_of_catastrophic_overfitting_is_taken_back_and_pgd_made_stronger() -> None:
    fighting, fit = adversaries(), prepare_fit(train_small(), PARAMS)
    good = {name: value.clone() for name, value in fit.model.state_dict().items()}
    fit.history.append({"val/watch_auc": 0.6, "val/inner_auc": 0.7})
    fighting.review(fit)
    with torch.no_grad():
        fit.model.logit.weight += 1  # type: ignore[operator,union-attr]
    fit.history.append({"val/watch_auc": 0.1, "val/inner_auc": 0.9})
    fighting.review(fit)
    assert all(torch.equal(value, good[name]) for name, value in fit.model.state_dict().items())
    assert fighting.inner_attack.steps == 2 * PARAMS.pgd_steps


def test_a_detector_that_gets_worse_under_both_attacks_is_not_mistaken_for_overfitting() -> None:
    fighting, fit = adversaries(), prepare_fit(train_small(), PARAMS)
    for watched, inner in ((0.6, 0.7), (0.3, 0.4)):
        fit.history.append({"val/watch_auc": watched, "val/inner_auc": inner})
        fighting.review(fit)
    assert fighting.inner_attack.steps == PARAMS.pgd_steps


def test_weights_that_turn_nan_stop_training_by_name(tmp_path: Path) -> None:
    """Failure 2 of the reference: its PGD loss was NaN in every epoch, and every step was skipped."""
    model = train_small()
    with torch.no_grad():
        model.logit.bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"epoch 1: the loss is not finite \(.*pgd nan"):
        fit_robustly(model, PARAMS, tmp_path / "state.pt", Opponents(unet=False))


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 4), (2, 5)])
def test_a_training_of_few_steps_has_a_learning_rate(epochs: int, steps: int) -> None:
    """torch's one-cycle schedule divides by zero where the warm-up is exactly one step."""
    short = PARAMS.model_copy(update={"epochs": epochs, "steps": steps, "warmup": 1 / (epochs * steps)})
    short = short if epochs * steps > 1 else short.model_copy(update={"warmup": 0.5})
    assert prepare_fit(train_small(), short).optimizer.param_groups[0]["lr"] > 0


def test_the_average_starts_from_the_baseline() -> None:
    model: Small = train_small()
    fit = prepare_fit(model, PARAMS)
    x, y = draw_crops(64, seed=3)
    assert torch.equal(objective_of(fit.average.module, x, y), objective_of(model, x, y))


def test_free_pgd_moves_on_with_every_replay_and_starts_anew_with_the_next_batch() -> None:
    free = PARAMS.model_copy(update={"replays": 3, "ramp": 0.0, "pgd_step_size": 0.5})
    model, fighting = train_small().requires_grad_(True), adversaries(free, Opponents(unet=False))
    losses = []
    for batch in replayed(batches(0, free), free.replays):
        losses.append(fighting.step(model, batch))
        torch.stack(list(losses[-1].values())).sum().backward()  # no optimiser step: only the perturbation moves
    assert losses[1]["pgd"] > losses[0]["pgd"] + 0.15
    assert losses[2]["pgd"] > losses[1]["pgd"]
    assert losses[3]["pgd"] < losses[2]["pgd"] - 0.15, "a new batch begins with noise"
    assert torch.equal(losses[0]["clean"], losses[1]["clean"])


def test_after_an_overfitting_pgd_is_not_free_any_more() -> None:
    fighting, fit = adversaries(PARAMS.model_copy(update={"replays": 3})), prepare_fit(train_small(), PARAMS)
    assert fighting.is_free
    assert fighting.inner_attack.steps == 2, "the third replay meets what two steps made"
    for watched, inner in ((0.6, 0.7), (0.1, 0.9)):
        fit.history.append({"val/watch_auc": watched, "val/inner_auc": inner})
        fighting.review(fit)
    assert not fighting.is_free
    model, met = train_small(), []
    for batch in replayed([next(batches(0))], 2):
        fighting.step(model, batch)
        met.append(fighting._round.x_pgd)
        with torch.no_grad():
            model.logit.weight.neg_()
    assert (met[0] != met[1]).float().mean() > 0.5, "every replay is attacked anew"


def test_what_the_adversaries_did_is_a_mean_over_their_own_turns() -> None:
    """The U-Net has one turn a batch, however often that is replayed."""
    free = PARAMS.model_copy(update={"replays": 3, "ramp": 0.0})
    model, fighting = train_small().requires_grad_(True), adversaries(free)
    shown = list(batches(0, PARAMS.model_copy(update={"steps": 2})))
    turns = []
    for batch in replayed(shown, free.replays):
        fighting.step(model, batch)
        turns.append(fighting._opponent.seen["attack"][-1])
    seen = fighting.observed()
    assert turns[0] == turns[1] == turns[2] != turns[3]
    assert seen["train/attack"] == pytest.approx((turns[0] + turns[3]) / 2)
    assert seen["train/eps"] == pytest.approx(EPS)


def test_trades_asks_for_the_clean_prediction_and_not_for_the_label() -> None:
    logits, other = torch.tensor([-1.0, 0.5, 3.0]), torch.tensor([2.0, 0.5, -1.0])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Bernoulli(logits=logits), torch.distributions.Bernoulli(logits=other)
    )
    assert torch.allclose(divergence(logits, other), expected.mean(), atol=1e-6)
    assert divergence(logits, logits) == 0
    model, batch = train_small().requires_grad_(True), next(batches(0))
    found = {
        loss: adversaries(PARAMS.model_copy(update={"pgd_loss": loss})).step(model, batch)["pgd"]
        for loss in ("bce", "trades")
    }
    assert found["trades"] != found["bce"]
