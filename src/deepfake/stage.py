"""How a script runs under DVC, and how it ends: quietly, or with one line for a fault that the user can mend."""

import errno
import fcntl
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepfake.errors import DeepfakeError
from deepfake.runtime import is_first

INTERRUPTED, CLOSED = 130, 141
# The fault of the machine or of a path, and not the code's: what a user can mend without seeing where it happened.
_MENDABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE,
             errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ENAMETOOLONG}  # fmt: skip
_LOCKS = Path(".work/locks")  # beside the outputs that they guard, wherever the rest of the unfinished work may be


def run(main: Callable[[Sequence[str] | None], int | None], *, on_all_ranks: bool = False, goes_on: bool = True) -> int:
    """Run a script's `main` and give its exit status; a DeepfakeError becomes one line on stderr and status 1.

    A `main` that has more than success to tell gives a status of its own. Where several ranks were started, those
    after the first have nothing to do unless `main` shares its work with them. A `main` that `goes_on` finds again
    what it did before it was interrupted.
    """
    if not (is_first() or on_all_ranks):
        return 0
    try:
        with _alone():
            return main(None) or 0
    except DeepfakeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except OSError as error:
        if error.errno not in _MENDABLE:
            raise
        name = error.filename2 or error.filename or "a file"
        print(f"error: {name}: {error.strerror}; run again when that is mended", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and type(error).__name__ != "OutOfMemoryError":  # torch's, not imported
            raise
        reason = str(error).partition("\n")[0]
        print(f"error: out of memory; a smaller batch_size or fewer workers need less ({reason})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run again to go on from here" if goes_on else "interrupted", file=sys.stderr)
        return INTERRUPTED


@contextmanager
def _alone() -> Iterator[None]:
    """Under DVC: end with it, or when the same stage is started again; begin when no earlier run of it is left."""
    stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2]
    if not stage:
        yield
        return
    child, dvc = _below_dvc()
    if not is_first():  # the first rank waits for all of them
        _end_when(lambda: _parent(child) != dvc)
        yield
        return
    _LOCKS.mkdir(parents=True, exist_ok=True)
    lock, mine = _LOCKS / stage, str(os.getpid())
    with lock.open("w") as file:  # the lock goes with the file, however the process ends
        print(mine, end="", file=file, flush=True)
        _end_when(lambda: _parent(child) != dvc or _text(lock) not in (mine, ""))
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _end_when(reason: Callable[[], bool]) -> None:
    """Interrupt this process within a second after there is a reason to."""
    # A shell that starts a process in the background has it ignore Ctrl-C.
    last = signal.SIGINT if signal.getsignal(signal.SIGINT) is signal.default_int_handler else signal.SIGTERM

    def watch() -> None:
        while not reason():
            time.sleep(0.5)
        os.kill(os.getpid(), last)

    threading.Thread(target=watch, daemon=True).start()


def _below_dvc() -> tuple[int, int]:
    """Numbers of the process that DVC started and of DVC; above the script there may be a shell and torchrun."""
    child, parent = os.getpid(), os.getppid()
    while parent and sys.argv[0] in _text(Path(f"/proc/{parent}/cmdline")):
        child, parent = parent, _parent(parent)
    return child, parent


def _parent(process: int) -> int:
    """Number of the process above, 0 if the process has ended."""
    if process == os.getpid():
        return os.getppid()
    found = re.search(r"^PPid:\s*(\d+)", _text(Path(f"/proc/{process}/status")), re.MULTILINE)
    return int(found[1]) if found else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
