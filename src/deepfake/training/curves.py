"""Training curves, logged as the epochs end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive import Live

from deepfake.runtime import is_first


@contextmanager
def open_curves(folder: Path) -> Iterator[Callable[[dict[str, float]], None]]:
    """A function that logs the metrics of one epoch after the other to `folder`, in dvclive's format.

    Only the first rank writes.
    """
    if not is_first():
        yield lambda _: None
        return
    # Left to itself, Live rewrites dvc.yaml and starts a DVC experiment.
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False) as live:

        def log(metrics: dict[str, float]) -> None:
            for name, value in metrics.items():
                live.log_metric(name, round(value, 5))
            live.next_step()

        yield log
