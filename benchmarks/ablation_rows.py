"""The rows of the ablation: what each changes about robust training.

They change one part of a base with batches of 32 crops, half the default's: its steps cost half as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

BASE, DEFAULT = "the base: batches of 32", "batches of 64: the default"
BASE_CROPS = 32
_SEED = ", seed "


@dataclass(frozen=True)
class Row:
    """What a row changes.

    Attributes:
        adversaries: who attacks.
        changes: to the parameters of the base.
        length: share of the other rows' steps; a step that takes longer may be compared at as many minutes.
    """

    adversaries: str = "both"
    changes: Mapping[str, Any] = field(default_factory=dict)
    length: float = 1.0


def change_robust(**changes: object) -> Mapping[str, Any]:
    """Changes to robust training."""
    return {"robust": changes}


def with_seeds(name: str, row: Row) -> dict[str, Row]:
    """A row with the first seed, and again with two more."""
    others = {f"{name}{_SEED}{seed}": replace(row, changes={**row.changes, "seed": seed}) for seed in (2, 3)}
    return {name: row} | others


def recipe_of(name: str) -> str:
    """The name of a row without its seed."""
    return name.partition(_SEED)[0]


BASE_CHANGES = change_robust(batch_size=BASE_CROPS, learning_rate=1.5e-3)  # to params.yaml
# Robust training as the field does it: ten steps of PGD and the U-Net on every crop of every batch.
USUAL_ROBUST = {"replays": 1, "pgd_steps": 10, "final_pgd_steps": 10, "unet_share": 1.0}
NOT_FREE = {"replays": 1, "pgd_steps": 3, "final_pgd_steps": 3}
WITH_TRADES = {"pgd_loss": "trades", "pgd_weight": 3.0}
AS_LONG = 9 / 16  # of the steps: on a CPU a step with PGD of 3 steps took 1.8 times as long as a free one
LARGER = {"batch_size": 64, "learning_rate": 2e-3}
LARGE = {"batch_size": 128, "learning_rate": 2e-3}
ROWS: Mapping[str, Row] = {
    **with_seeds(BASE, Row()),
    "nobody attacks (control)": Row("none"),
    **with_seeds("PGD only", Row("pgd")),
    "U-Net only": Row("unet"),
    **with_seeds("PGD of 3 steps, not free", Row(changes=change_robust(**NOT_FREE))),
    **with_seeds("PGD of 3 steps, not free, 9/16 of the steps", Row(changes=change_robust(**NOT_FREE), length=AS_LONG)),
    "PGD-10 and U-Net in every batch": Row(changes=change_robust(**USUAL_ROBUST)),
    **with_seeds("TRADES", Row(changes=change_robust(**WITH_TRADES))),
    "TRADES, PGD of 3 steps": Row(changes=change_robust(**NOT_FREE, **WITH_TRADES)),
    **with_seeds(
        "TRADES, PGD of 3 steps, 9/16 of the steps",
        Row(changes=change_robust(**NOT_FREE, **WITH_TRADES), length=AS_LONG),
    ),
    "clean weight of 1, PGD of 3 steps, 9/16 of the steps": Row(
        changes=change_robust(**NOT_FREE, clean_weight=1.0), length=AS_LONG
    ),
    "BatchNorm statistics frozen": Row(changes=change_robust(batch_statistics="frozen")),
    "no ramp": Row(changes=change_robust(ramp=0.0)),
    "hardly any averaging": Row(changes=change_robust(average_halflife=0.01)),
    "no compression in augmentation": Row(
        changes={"baseline": {"augment": {"jpeg": 0.0, "rescale": 0.0, "blur": 0.0}}}
    ),
    "self-blended fakes": Row(changes={"baseline": {"augment": {"self_blended": True}}}),
    "budget of 4/255 in training": Row(changes=change_robust(eps=4 / 255)),
    **with_seeds(DEFAULT, Row(changes=change_robust(**LARGER))),
    **with_seeds("batches of 64, clean weight of 1", Row(changes=change_robust(**LARGER, clean_weight=1.0))),
    **with_seeds("batches of 64, label smoothing of .05", Row(changes=change_robust(**LARGER, label_smoothing=0.05))),
    **with_seeds(
        "batches of 64, reals attacked by half the budget", Row(changes=change_robust(**LARGER, real_share=0.5))
    ),
    "batches of 64, reals left alone": Row(changes=change_robust(**LARGER, real_share=0.0)),
    "batches of 64, PGD only": Row("pgd", change_robust(**LARGER)),
    "batches of 64, TRADES": Row(changes=change_robust(**LARGER, **WITH_TRADES)),
    "batches of 64, budget of 12/255 in training": Row(changes=change_robust(**LARGER, eps=12 / 255)),
    "batches of 64, 22/16 of the steps": Row(changes=change_robust(**LARGER), length=22 / 16),
    "batches of 128": Row(changes=change_robust(**LARGE)),
    "batches of 128, PGD of 3 steps": Row(changes=change_robust(**NOT_FREE, **LARGE)),
    "batches of 128, PGD of 5 steps": Row(changes=change_robust(replays=1, pgd_steps=5, final_pgd_steps=5, **LARGE)),
}
