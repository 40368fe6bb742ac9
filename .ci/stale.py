"""Fail where dvc.lock is not that of the code, params and data at hand, and name every stale stage with its reason.

In a fresh clone nothing is in the cache: missing outputs are no sign of a stale lock, changed inputs are. So is a file
that git should carry and does not. DVC blames only the stage whose own input changed; what comes after it is stale too.
So is a stage that read other bytes than the lock says are written: without the data, DVC does not notice.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

IN_CACHE_ONLY = ("not in cache", "deleted")

Changes = list[dict[str, dict[str, str | dict[str, str]]] | str]  # as `dvc status` tells them
Entry = dict[str, str | int]  # of a file or folder in dvc.lock: path, md5, size, nfiles
Locked = dict[str, dict[str, list[Entry]]]  # by stage, then by deps and outs


def main() -> int:
    answer = subprocess.run(["dvc", "status", "--json"], capture_output=True, text=True, check=False)
    if answer.returncode:
        print(answer.stderr, file=sys.stderr)
        return answer.returncode
    status: dict[str, Changes] = json.loads(answer.stdout)
    locked, lost = _locked_stages(), _lost_files(status)
    faults = {
        stage: list(_faults(changes, lost)) if stage in locked else ["it was never run"]
        for stage, changes in status.items()
    }
    for stage, fault in _contradictions(locked):
        faults.setdefault(stage, []).append(fault)
    reasons = _with_consequences({stage: found for stage, found in faults.items() if found})
    for stage, found in reasons.items():
        print(f"stale: {stage}: {'; '.join(found)}", file=sys.stderr)
    if reasons:
        print("run `dvc repro` and commit dvc.lock with its results", file=sys.stderr)
    return int(bool(reasons))


def _locked_stages() -> Locked:
    lock = Path("dvc.lock")
    return yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}


def _contradictions(locked: Locked) -> Iterator[tuple[str, str]]:
    """Stages whose inputs are not what other stages wrote; of a folder that several write into, its size must fit."""
    written = {entry["path"]: entry for stage in locked.values() for entry in stage.get("outs", [])}
    for stage, entries in locked.items():
        for read in entries.get("deps", []):
            if read["path"] in written:
                same = written[read["path"]]["md5"] == read["md5"]
            else:
                parts = [entry for path, entry in written.items() if str(path).startswith(f"{read['path']}/")]
                same = not parts or _extent(parts) == _extent([read])
            if not same:
                yield stage, f"{read['path']} was written again since it was read"


def _extent(entries: list[Entry]) -> tuple[int, int]:
    """Bytes and files of some entries together."""
    return sum(int(entry["size"]) for entry in entries), sum(int(entry.get("nfiles", 1)) for entry in entries)


def _lost_files(status: dict[str, Changes]) -> set[str]:
    """Missing paths that git would carry: it ignores those that are DVC's."""
    missing = {path for changes in status.values() for path, state in _entries(changes) if state == "deleted"}
    if not missing:
        return set()
    asked = "\n".join(sorted(missing))
    command = ["git", "check-ignore", "--stdin"]
    ignored = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    return missing - set(ignored.stdout.splitlines())


def _entries(changes: Changes) -> Iterator[tuple[str, str | dict[str, str]]]:
    for change in changes:
        if isinstance(change, dict):
            for group in change.values():
                yield from group.items()


def _faults(changes: Changes, lost: set[str]) -> Iterator[str]:
    yield from (change for change in changes if isinstance(change, str))  # "changed command"
    for path, state in _entries(changes):
        if isinstance(state, dict):  # parameters
            yield from (f"{key} is {what} in {path}" for key, what in state.items())
        elif path in lost:
            yield f"{path} is not committed"
        elif state not in IN_CACHE_ONLY:
            yield f"{path} is {state}"


def _with_consequences(faults: dict[str, list[str]]) -> dict[str, list[str]]:
    """`faults`, and the stages that read what a stale stage writes, directly or not."""
    if not faults:
        return {}
    drawn = subprocess.run(["dvc", "dag", "--dot"], capture_output=True, text=True, check=True).stdout
    found = dict(faults)
    waiting = list(faults)
    while waiting:
        stale = waiting.pop(0)
        for after in re.findall(rf'^"{re.escape(stale)}" -> "(.+)";', drawn, re.MULTILINE):
            if after not in found:
                found[after] = [f"reads what {stale} writes"]
                waiting.append(after)
    return found


if __name__ == "__main__":
    sys.exit(main())
