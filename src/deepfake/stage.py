"""How a script runs under DVC, and how it ends: quietly, or with one line for a fault that the user can mend."""

import errno
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepfake.errors import DeepfakeError
from deepfake.runtime import is_first

INTERRUPTED = 130
# The machine's fault and not the code's: what a user can mend without seeing where it happened.
_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
_LOCKS = Path(".work/locks")  # beside the outputs that they guard, wherever the rest of the unfinished work may be


def run(main: Callable[[Sequence[str] | None], int | None], *, on_all_ranks: bool = False) -> int:
    """Run a script's `main` and give its exit status; a DeepfakeError becomes one line on stderr and status 1.

    A `main` that has more than success to tell gives a status of its own. Where several ranks were started, those
    after the first have nothing to do unless `main` shares its work with them.
    """
    if not (is_first() or on_all_ranks):
        return 0
    try:
        with _alone():
            return main(None) or 0
    except DeepfakeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        print(f"error: {error.filename or 'a file'}: {error.strerror}; run again when that is mended", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run again to go on from here", file=sys.stderr)
        return INTERRUPTED


def end_with_parent() -> None:
    """Interrupt this process within a second after the one that started it has died."""
    parent = os.getppid()
    # A shell that starts a process in the background has it ignore Ctrl-C.
    last = signal.SIGINT if signal.getsignal(signal.SIGINT) is signal.default_int_handler else signal.SIGTERM

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), last)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _alone() -> Iterator[None]:
    """Under DVC: end with it, and wait until no earlier run of the same stage is left, whose DVC was killed."""
    stage = os.environ.get("DVC_STAGE")
    if not stage:
        yield
        return
    end_with_parent()
    if not is_first():  # the first rank waits for all of them
        yield
        return
    _LOCKS.mkdir(parents=True, exist_ok=True)
    with (_LOCKS / stage.replace("/", "_")).open("w") as file:  # the lock goes with the file, however the process ends
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
