"""How a script ends: quietly, or with one line for a fault that the user can mend."""

import sys
from collections.abc import Callable, Sequence

from deepfake.errors import DeepfakeError
from deepfake.runtime import is_first

INTERRUPTED = 130


def run(main: Callable[[Sequence[str] | None], int | None], *, on_all_ranks: bool = False) -> int:
    """Run a script's `main` and give its exit status; a DeepfakeError becomes one line on stderr and status 1.

    A `main` that has more than success to tell gives a status of its own. Where several ranks were started, those
    after the first have nothing to do unless `main` shares its work with them.
    """
    if not (is_first() or on_all_ranks):
        return 0
    try:
        return main(None) or 0
    except DeepfakeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run again to go on from here", file=sys.stderr)
        return INTERRUPTED
