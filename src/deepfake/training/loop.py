"""Fit a detector: steps, validation, the best epoch, and a way back from an epoch that went wrong."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deepfake.crops.batches import Batch
from deepfake.errors import DeepfakeError, ScoreError
from deepfake.params import FitParams
from deepfake.ranks import agree, average_over_ranks, wait
from deepfake.runtime import derive_seed, is_first, progress, rank
from deepfake.training.fit import Fit, gradients, moving_statistics

Losses = dict[str, Tensor]
Step = Callable[[nn.Module, Batch], Losses]
Validate = Callable[[nn.Module], dict[str, float]]
MOST_SETBACKS = 3  # times that a fit may go back before it is given up


class TrainingError(DeepfakeError):
    """Training that cannot go on, or did nothing."""


class NotFiniteError(TrainingError):
    """An epoch that ended in numbers that are none; with shorter steps it may end well."""


@dataclass(frozen=True)
class Task:
    """What is to be fitted, and by what it is judged.

    Attributes:
        batches: batches of an epoch, by its number.
        step: named losses of a batch; their sum is minimised.
        validate: metrics of the averaged model; the epoch with the largest `rank` is kept.
        rank: how good an epoch's metrics are; compared as tuples.
        review: looks at the fit after every epoch, and may take back what the epoch did.
    """

    batches: Callable[[int], Iterable[Batch]]
    step: Step
    validate: Validate
    rank: Callable[[dict[str, float]], tuple[float, ...]]
    review: Callable[[Fit], None] = lambda _: None


def run_fit(
    fit: Fit, task: Task, params: FitParams, *, seed: int, state: Path, log: Callable[[dict[str, float]], None]
) -> None:
    """Train until `params.epochs` epochs are in the history, going on from `state` if it exists.

    The result does not depend on where an earlier run was killed. Of several ranks, each has a part of every batch and
    the same weights; `task.validate` must say the same on all of them.

    Args:
        fit: as `prepare_fit` gives it; changed in place.
        task: data, loss and judgement.
        params: number of epochs and steps, clipping.
        seed: of dropout; reseeded every epoch.
        state: file to keep the state in.
        log: gets the metrics of every epoch, those before `state` included.

    Raises:
        TrainingError: an epoch that moved no parameter; or one with a loss, weights or scores that are not finite,
            after the fit went back to the epoch before and halved its learning rate `MOST_SETBACKS` times.
    """
    device = next(fit.model.parameters()).device
    if state.exists():
        fit.load(state, device)
    elif is_first():
        fit.save(state)  # what the first epoch goes back to
    for metrics in fit.history:
        log(metrics)
    while len(fit.history) < params.epochs:
        try:
            _go_on(fit, task, params, seed=seed, state=state, log=log)
        except NotFiniteError as error:
            _go_back(fit, state, error)


@contextmanager
def keeping_best(fit: Fit, state: Path, save: Callable[[Path], None]) -> Iterator[None]:
    """Where the block gives training up, what `save` makes of the best epoch so far lies beside the state.

    Raises:
        TrainingError: that of the block; it also says where.
    """
    try:
        yield
    except TrainingError as error:
        if fit.best_epoch < 0:
            raise
        path = state.with_suffix(".best.pt")
        save(path)
        raise TrainingError(f"{error}; epoch {fit.best_epoch + 1}, the best before, is kept in {path}") from error


def _go_on(
    fit: Fit, task: Task, params: FitParams, *, seed: int, state: Path, log: Callable[[dict[str, float]], None]
) -> None:
    for epoch in range(len(fit.history), params.epochs):
        torch.manual_seed(derive_seed(seed, "dropout", rank() * params.epochs + epoch))
        metrics = _train_epoch(fit, task, params, epoch)
        metrics = agree(metrics | _validate(fit, task, epoch))
        fit.history.append(metrics)
        if fit.best_epoch < 0 or task.rank(metrics) > task.rank(fit.history[fit.best_epoch]):
            fit.best_epoch = epoch
            fit.best_weights = {name: value.clone() for name, value in fit.average.module.state_dict().items()}
        task.review(fit)
        if is_first():
            fit.save(state)
        log(metrics)


def _validate(fit: Fit, task: Task, epoch: int) -> dict[str, float]:
    try:
        return task.validate(fit.average.module)
    except ScoreError as error:  # finite weights can be so large that what they give is not
        raise NotFiniteError(f"epoch {epoch + 1}: in validation {error}; try a lower learning_rate") from error


def _go_back(fit: Fit, state: Path, error: NotFiniteError) -> None:
    """The state after the last good epoch, with half the learning rate; written down, so that a kill changes nothing.

    Raises:
        NotFiniteError: the fit went back often enough.
    """
    if fit.setbacks == MOST_SETBACKS:
        raise error
    fit.load(state, next(fit.model.parameters()).device)
    fit.setbacks += 1
    fit.halve_learning_rate()
    wait()  # until every rank has read what the first one is about to replace
    if not is_first():
        return
    fit.save(state)
    print(f"{error}: back to epoch {len(fit.history)}, at half the learning rate", file=sys.stderr)


def _train_epoch(fit: Fit, task: Task, params: FitParams, epoch: int) -> dict[str, float]:
    device = next(fit.model.parameters()).device
    before = torch.cat([parameter.detach().flatten() for parameter in fit.model.parameters()])
    totals: dict[str, Tensor] = {}
    fit.model.train()
    title = f"epoch {epoch + 1}/{params.epochs}"
    for batch in progress(task.batches(epoch), total=params.steps, title=title):
        # bf16 has float32's range: nothing overflows, so there is no loss scaler that could skip steps.
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            losses = task.step(fit.model, batch)
        loss = torch.stack(list(losses.values())).sum()
        total = loss.detach().clone()
        average_over_ranks([total])
        if not torch.isfinite(total):  # on any rank
            named = ", ".join(f"{name} {value.item():g}" for name, value in losses.items())
            raise NotFiniteError(f"epoch {epoch + 1}: the loss is not finite ({named}); try a lower learning_rate")
        fit.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_over_ranks([*gradients(fit.model), *moving_statistics(fit.model)])
        nn.utils.clip_grad_norm_(fit.model.parameters(), params.max_gradient_norm)
        fit.optimizer.step()
        fit.schedule.step()
        fit.average.update_parameters(fit.model)
        for name, value in losses.items():
            totals[name] = totals.get(name, torch.zeros((), device=device)) + value.detach()
    after = torch.cat([parameter.detach().flatten() for parameter in fit.model.parameters()])
    if not torch.isfinite(after).all():  # the last step had a gradient that was not; any before shows in the loss
        raise NotFiniteError(f"epoch {epoch + 1}: the weights are not finite; try a lower learning_rate")
    if torch.equal(before, after):
        raise TrainingError(f"epoch {epoch + 1}: no parameter moved")
    average_over_ranks(totals.values())
    return {f"train/{name}": value.item() / params.steps for name, value in totals.items()}
