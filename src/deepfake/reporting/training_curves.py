"""Training curves as dvclive left them."""

import csv
from dataclasses import dataclass
from pathlib import Path

from deepfake.errors import DataError


@dataclass(frozen=True)
class TrainingCurve:
    """One logged quantity over the steps of training.

    Attributes:
        name: path of the metric without its suffix, such as `val/auc`.
        steps, values: as logged, equally many.
    """

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def leaf(self) -> str:
        """The quantity, without what it was measured on: `auc` for `val/auc`."""
        return self.name.rpartition("/")[2]


MODELS = ("baseline", "robust", "longer")
ATTACKERS = ("attacker_baseline", "attacker_longer", "attacker_robust")


def read_trainings(root: Path) -> dict[str, list[TrainingCurve]]:
    """The curves of every model and attacker below `root` that was trained, models first.

    Raises:
        DataError: none of them was, or a file is not a curve.
    """
    found = {name: read_training_curves(root / name) for name in (*MODELS, *ATTACKERS) if (root / name).is_dir()}
    if not found:
        raise DataError(f"{root}: no training curves of {MODELS[0]}; run the stage that trains it (`dvc repro`)")
    return found


def read_training_curves(folder: Path) -> list[TrainingCurve]:
    """All curves below a dvclive folder, by name.

    Raises:
        DataError: no curve, or a file that is not one.
    """
    metrics = folder / "plots" / "metrics"
    curves = [_read_curve(path, path.relative_to(metrics)) for path in sorted(metrics.rglob("*.tsv"))]
    if not curves:
        raise DataError(f"{metrics}: no training curves; run the stage that trains the model (`dvc repro`)")
    return curves


def _read_curve(path: Path, relative: Path) -> TrainingCurve:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    try:
        steps = tuple(int(row["step"]) for row in rows)
        values = tuple(float(row[path.stem]) for row in rows)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a curve with the columns step and {path.stem}: {error}") from error
    return TrainingCurve(relative.with_suffix("").as_posix(), steps, values)
