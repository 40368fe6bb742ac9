"""Kills, Ctrl-C and full disks at several moments of a stage: `dvc repro` goes on and ends with the same bytes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from toy_project import Project

REPRO = ("dvc", "repro", "--no-run-cache")  # DVC would rather hand out what it remembers than run the stage again
PATIENCE = 300  # seconds until a moment has come


@dataclass(frozen=True)
class Stage:
    """A stage to disturb: its name, what it writes, and its folder of unfinished work."""

    name: str
    outs: tuple[str, ...]
    work: str


FACES = Stage("extract_faces@train", ("data/faces/train",), "extract_faces")
BASELINE = Stage("train_baseline", ("models/baseline.pt", "plots/training/baseline"), "train_baseline")
ROBUST = Stage("train_robust@robust", ("models/robust.pt", "plots/training/robust"), "train_robust")
CROPS = Stage("cache_crops@train", ("data/crops/train",), "cache_crops")


def remembered(stage: Stage, count: int) -> Callable[[Project], bool]:
    """The moment when so many pieces of unfinished work are remembered."""
    return lambda project: len(pieces(project, stage)) >= count


def trained(stage: Stage) -> Callable[[Project], bool]:
    """The moment when the first epoch is remembered: then its metrics are logged."""
    return lambda project: (project.root / stage.outs[-1] / "metrics.json").exists()


def started(project: Project) -> bool:
    """The moment when the script has been started, and imports still go on."""
    return bool(scripts(project))


def locked(project: Project) -> bool:
    """The moment when the script's own work begins."""
    return any((project.root / ".work/locks").glob("*"))


QUICK = [("dvc", FACES, remembered(FACES, 3)), ("group", BASELINE, trained(BASELINE))]
SLOW = [
    ("script", FACES, started),
    ("script", FACES, remembered(FACES, 1)),
    ("dvc", FACES, started),
    ("group", FACES, remembered(FACES, 8)),
    ("script", BASELINE, locked),
    ("script", BASELINE, trained(BASELINE)),
    ("dvc", BASELINE, started),
    ("dvc", BASELINE, trained(BASELINE)),
    ("group", BASELINE, started),
    ("script", ROBUST, trained(ROBUST)),
    ("dvc", ROBUST, locked),
    ("group", ROBUST, trained(ROBUST)),
]


@pytest.fixture
def project(toy: Project, tmp_path: Path) -> Project:
    return toy.copy(tmp_path / "project")


@pytest.mark.parametrize(
    ("victim", "stage", "moment"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.faults) for case in SLOW)],
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", value)),
)
def test_a_killed_stage_goes_on_and_ends_with_the_same_bytes(
    project: Project, victim: str, stage: Stage, moment: Callable[[Project], bool]
) -> None:
    expected = forget(project, stage)
    with running(project, stage) as process:
        wait_for(moment, project, process)
        kill(victim, project, process, signal.SIGKILL)
    kept = pieces(project, stage)
    whole = trained(stage)(project)
    assert not (project.root / stage.outs[0]).exists(), "an unfinished stage has no output"
    done = project.run(*REPRO, "--single-item", stage.name)
    assert done.returncode == 0, done.stderr[-2000:]
    assert content(project, stage) == expected
    assert all(pieces(project, stage).get(name, written) == written for name, written in kept.items()), "done again"
    assert not (whole and "epoch 1/2" in done.stderr), "done again"
    assert "Running stage" not in project.succeed("dvc", "repro"), "later stages saw the same bytes"
    assert not scripts(project)


def test_nothing_goes_on_writing_when_dvc_was_killed(project: Project) -> None:
    forget(project, BASELINE)
    with running(project, BASELINE) as process:
        wait_for(locked, project, process)
        kill("dvc", project, process, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while scripts(project):
            assert time.monotonic() < deadline, "an orphan goes on"
            time.sleep(0.2)
    assert not (project.root / "models/baseline.pt").exists()


@pytest.mark.faults
@pytest.mark.parametrize("stage", [FACES, BASELINE], ids=lambda stage: stage.name)
def test_ctrl_c_is_one_line_and_a_stage_to_go_on_with(project: Project, stage: Stage) -> None:
    expected = forget(project, stage)
    with running(project, stage) as process:
        wait_for(trained(stage) if stage is BASELINE else remembered(stage, 1), project, process)
        kill("group", project, process, signal.SIGINT)
        printed = process.communicate(timeout=PATIENCE)[0].decode()
    assert printed.count("interrupted; run again to go on from here") == 1
    assert "Traceback" not in printed
    assert not leftovers(project)
    project.succeed(*REPRO, "--single-item", stage.name)
    assert content(project, stage) == expected


@pytest.mark.faults
@pytest.mark.parametrize(
    ("stage", "place", "kilobytes"),
    [(FACES, "data/faces", 8), (FACES, ".work", 8), (CROPS, ".work", 64), (BASELINE, "models", 16)],
    ids=str,
)
def test_a_full_disk_is_one_line_and_a_stage_to_go_on_with(
    project: Project, stage: Stage, place: str, kilobytes: int
) -> None:
    expected = forget(project, stage)
    with full_disk(project.root / place, kilobytes):
        done = project.run(*REPRO, "--single-item", stage.name)
        assert done.returncode != 0
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, done.stderr[-2000:]
        assert "No space left on device" in errors[0]
        assert "Traceback" not in done.stderr
    assert not leftovers(project)
    project.succeed(*REPRO, "--single-item", stage.name)
    assert content(project, stage) == expected


def forget(project: Project, stage: Stage) -> dict[str, bytes]:
    """Remove what a stage wrote and remembered, and that it was ever run; gives what it wrote."""
    expected = content(project, stage)
    assert expected
    for name in (*stage.outs, ".work"):
        project.succeed("rm", "-rf", name)
    lock = yaml.safe_load((project.root / "dvc.lock").read_text())
    del lock["stages"][stage.name]
    (project.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    return expected


def content(project: Project, stage: Stage) -> dict[str, bytes]:
    """Bytes of a stage's output files by path."""
    tops = [project.root / out for out in stage.outs]
    files = [path for top in tops for path in ([top] if top.is_file() else sorted(top.rglob("*"))) if path.is_file()]
    return {str(path.relative_to(project.root)): path.read_bytes() for path in files}


def pieces(project: Project, stage: Stage) -> dict[str, int]:
    """When each finished piece of unfinished work was written, by name."""
    folder = project.root / ".work" / stage.work
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*")}


def leftovers(project: Project) -> list[Path]:
    return [path for path in project.root.rglob(".*.tmp") if ".dvc" not in path.parts]


@contextmanager
def running(project: Project, stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """`dvc repro` of one stage in a process group of its own, ended at the latest when the block ends.

    Scripts that outlive it are not waited for: the next run must bear with them.
    """
    process = project.start("env", "--default-signal=INT", *REPRO, "--single-item", stage.name)  # as in a terminal
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def wait_for(moment: Callable[[Project], bool], project: Project, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not moment(project):
        assert process.poll() is None, "the stage was over before the moment came"
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.02)


def kill(victim: str, project: Project, process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Send a signal to the script alone, to DVC alone, or to both."""
    if victim == "group":
        os.killpg(process.pid, how)
    for pid in scripts(project) if victim == "script" else [process.pid] if victim == "dvc" else []:
        os.kill(pid, how)
    process.wait(PATIENCE)


def scripts(project: Project) -> list[int]:
    """Processes that run a script of the project."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            inside = (folder / "cwd").resolve() == project.root.resolve()
            if inside and b"\0src/" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has just ended, or is not ours
            continue
    return found


@contextmanager
def full_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A file system of that size in the place of a folder whose files are of no matter."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
