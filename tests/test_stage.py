"""How a stage begins and ends among others: real processes, as DVC, shells and torchrun start them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from deepfake.runtime import replacing, replacing_folder
from deepfake.stage import CLOSED, INTERRUPTED, run

STAGE = """
import sys, time
from pathlib import Path
from deepfake.stage import run

def main(_):
    Path(sys.argv[1]).write_text("begun")
    try:
        time.sleep(60)
    finally:
        Path(sys.argv[1]).write_text("ended")

sys.exit(run(main, on_all_ranks=True))
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command in a folder of its own, as DVC does for a stage; ends it after the test."""
    (tmp_path / "stage.py").write_text(STAGE)
    source = str(Path(__file__).parents[1] / "src")
    processes = []

    def begin(*command: str, **environment: str) -> "subprocess.Popen[bytes]":
        env = {**os.environ, "PYTHONPATH": source, "DVC_STAGE": "toy@train", **environment}
        as_in_a_terminal = ("env", "--default-signal=INT", sys.executable, *command)
        processes.append(subprocess.Popen(as_in_a_terminal, cwd=tmp_path, env=env, start_new_session=True))
        return processes[-1]

    yield begin
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(
        "import sys\nfrom deepfake.stage import run\n"
        "sys.exit(run(lambda _: [print('line', n, flush=True) for n in range(10**6)] and None))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    shell = f"set -o pipefail; '{sys.executable}' many.py | head -1"
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("line 0\n", "", CLOSED)


def fill(_: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nProcess 1 has more.")


def write_to_a_folder(_: object) -> None:
    with replacing(Path("folder")) as temporary:
        temporary.touch()


def write_below_a_file(_: object) -> None:
    with replacing_folder(Path("file/below")):
        pass


@pytest.mark.parametrize(
    ("main", "line"),
    [
        (fill, "out of memory; a smaller batch_size or fewer workers need less (CUDA out of memory."),
        (write_to_a_folder, "folder: Is a directory; run again"),
        (write_below_a_file, "file: "),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    main: Callable[[object], None], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").touch()
    assert run(main) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {line}")
    assert said.count("\n") == 1


def test_a_fault_of_the_code_keeps_its_traceback() -> None:
    def main(_: object) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        run(main)


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() or path.read_text() != text:
        assert time.monotonic() < deadline, f"{path.name} has not {text}"
        time.sleep(0.05)


@pytest.mark.parametrize("again", ["toy@train", "../dvc.yaml:toy@train"])
def test_a_stage_that_is_started_again_ends_its_earlier_run_before_it_begins(
    start: Start, tmp_path: Path, again: str
) -> None:
    earlier = start("stage.py", "earlier")
    wait_for(tmp_path / "earlier", "begun")
    later = start("stage.py", "later", DVC_STAGE=again)
    wait_for(tmp_path / "later", "begun")
    assert (tmp_path / "earlier").read_text() == "ended"
    assert earlier.wait(30) == INTERRUPTED
    assert later.poll() is None


@pytest.mark.parametrize("other", [{"DVC_STAGE": "toy@cross"}, {"RANK": "1"}, {"DVC_STAGE": ""}], ids=str)
def test_other_stages_and_ranks_run_at_the_same_time(start: Start, tmp_path: Path, other: dict[str, str]) -> None:
    first = start("stage.py", "first")
    wait_for(tmp_path / "first", "begun")
    second = start("stage.py", "second", **other)
    wait_for(tmp_path / "second", "begun")
    time.sleep(1.5)
    assert first.poll() is None
    assert second.poll() is None


@pytest.mark.parametrize("shell", ["exec {}", "{}; :"], ids=["instead of the shell", "below a shell"])
def test_a_stage_ends_with_the_process_that_started_it(start: Start, tmp_path: Path, shell: str) -> None:
    command = shell.format(f"{sys.executable} stage.py begun")
    (tmp_path / "dvc.py").write_text(f"import subprocess; subprocess.run(['/bin/sh', '-c', {command!r}])")
    dvc = start("dvc.py")
    wait_for(tmp_path / "begun", "begun")
    time.sleep(1.5)
    assert (tmp_path / "begun").read_text() == "begun"
    dvc.kill()
    wait_for(tmp_path / "begun", "ended")
