"""Stages of the pipeline in a folder of their own: other parameters, the commands that dvc.lock records, no DVC.

DVC runs one stage after the other. Here those that do not wait for each other run side by side, several at once, which
is what it takes to keep a large GPU busy with a small detector.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import reduce
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from deepfake.errors import DeepfakeError
from deepfake.work import file_hash, work_key

REPOSITORY = Path(__file__).resolve().parents[1]


class StageError(DeepfakeError):
    """A stage that failed, or results that are out of date."""


@dataclass(frozen=True)
class Stage:
    """One stage as dvc.lock records it: its command, and the files, folders and parameters that it reads or writes."""

    name: str
    command: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    params: tuple[str, ...] = ()


def require_up_to_date(folder: Path) -> None:
    """Make sure that a DVC project has nothing to do: its results are those of the code, parameters and data at hand.

    Raises:
        StageError: `dvc status` names stages, or fails.
    """
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    asked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if asked.returncode or not asked.stdout.strip():
        raise StageError(f"dvc status: {(asked.stderr.strip() or 'failed').splitlines()[-1]}")
    if stale := json.loads(asked.stdout):
        raise StageError(f"the pipeline is not up to date ({next(iter(stale))}, …): run dvc repro first")


def read_stages(lock: Path, names: Iterable[str]) -> list[Stage]:
    """The named stages.

    Raises:
        StageError: the lock has no such stage; `dvc repro` writes it.
    """
    locked = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    return [_stage(locked, name) for name in names]


def code_of(stages: Iterable[Stage]) -> list[str]:
    """Hashes of the source files that the stages' results depend on, as they are now."""
    files = {dep for stage in stages for dep in stage.deps if dep.startswith("src/")}
    return [file_hash(REPOSITORY / name) for name in sorted(files)]


def run_stages(stages: Sequence[Stage], folder: Path, pool: ThreadPoolExecutor) -> None:
    """Run the stages in `folder`, which holds `params.yaml` and all else that they need and do not make.

    A stage is not run again while its outputs exist and its command, parameters, code and the stages before it are as
    they were: other attacks do not mean other trainings. What a stage prints is in `logs/<stage>.log`. Outputs are
    written whole or not at all, so a killed run goes on.

    Raises:
        StageError: a stage failed; it has the last line that the stage printed.
    """
    by_name = {stage.name: stage for stage in stages}
    maker = {out: stage.name for stage in stages for out in stage.outs}
    order = TopologicalSorter(
        {stage.name: {maker[dep] for dep in stage.deps if dep in maker} for stage in stages}
    )  # fmt: skip
    order.prepare()
    running: dict[Future[None], str] = {}
    while order.is_active():
        for name in order.get_ready():
            before = sorted({maker[dep] for dep in by_name[name].deps if dep in maker})
            running[pool.submit(_run, by_name[name], folder, before)] = name
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            future.result()
            order.done(running.pop(future))


def _stage(locked: Mapping[str, Any], name: str) -> Stage:
    if name not in locked:
        raise StageError(f"dvc.lock: no stage {name}; dvc repro writes it")
    entry = locked[name]
    deps, outs = (tuple(item["path"] for item in entry[kind]) for kind in ("deps", "outs"))
    return Stage(name, entry["cmd"], deps, outs, tuple(entry.get("params", {}).get("params.yaml", ())))


def _run(stage: Stage, folder: Path, before: Sequence[str]) -> None:
    key, done_as = _key(stage, folder, before), _done_as(stage.name, folder)
    if all((folder / out).exists() for out in stage.outs) and done_as.exists() and done_as.read_text() == key:
        return
    for out in stage.outs:
        (folder / out).parent.mkdir(parents=True, exist_ok=True)
    done_as.unlink(missing_ok=True)  # what half a run leaves is nobody's
    log = folder / "logs" / f"{stage.name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        # As DVC does, the stage is told its name: it then ends with the process that started it.
        environment = {**os.environ, "LAUNCH": sys.executable, "DVC_STAGE": stage.name}
        done = subprocess.run(stage.command, shell=True, cwd=folder, env=environment, stdout=file, stderr=file)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["no word"]
        raise StageError(f"{log}: {lines[-1]}")
    done_as.write_text(key)


def _key(stage: Stage, folder: Path, before: Sequence[str]) -> str:
    """What determines a stage's outputs, the stages `before` it included; they have run already."""
    settings: Any = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    values = [reduce(lambda section, key: section[key], path.split("."), settings) for path in stage.params]
    code = [file_hash(folder / dep) for dep in stage.deps if dep.startswith("src/")]
    return work_key(stage.command, values, code, [_done_as(name, folder).read_text() for name in before], code=[])


def _done_as(name: str, folder: Path) -> Path:
    return folder / "logs" / f"{name}.done"
