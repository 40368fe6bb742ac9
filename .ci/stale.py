"""Fail where dvc.lock is not that of the code, params and data at hand, and name every stale stage.

In a fresh clone nothing is in the cache: missing outputs are no sign of a stale lock, changed inputs are.
"""

import json
import subprocess
import sys

HARMLESS = ("not in cache", "deleted")


def main() -> int:
    answer = subprocess.run(["dvc", "status", "--json"], capture_output=True, text=True, check=False)
    if answer.returncode:
        print(answer.stderr, file=sys.stderr)
        return answer.returncode
    stale = False
    for stage, changes in json.loads(answer.stdout).items():
        for what in _faults(changes):
            print(f"stale: {stage}: {what}; run `dvc repro` and commit dvc.lock with its results", file=sys.stderr)
            stale = True
    return int(stale)


def _faults(changes: list[dict[str, dict[str, object]] | str]) -> list[str]:
    faults = []
    for change in changes:
        if isinstance(change, str):  # "changed command"
            faults.append(change)
        else:
            entries = [entry for group in change.values() for entry in group.items()]
            faults += [f"{path} is {state}" for path, state in entries if state not in HARMLESS]
    return faults


if __name__ == "__main__":
    sys.exit(main())
