"""What a Git revision holds: its files as they were, and what the commits after it say."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake.errors import DataError

_FIELD, _RECORD = "\x1f", "\x1e"
_SHORT = 7
_WEB = re.compile(r"(?:[a-z+]+://)?(?:[^@/]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+)?[:/](?P<path>.+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Revision:
    """A commit.

    Attributes:
        name: how a person calls it.
        commit: its full hash.
    """

    name: str
    commit: str

    @property
    def short(self) -> str:
        return self.commit[:_SHORT]

    def read(self, path: Path) -> bytes | None:
        """A file below the working folder as it was then; None where it was not there.

        Raises:
            DataError: it was there, and Git cannot give it: half a repository is no proof that a file is new.
        """
        if not _git("ls-tree", "-z", self.commit, "--", path.as_posix()):
            return None
        return _git_bytes("show", f"{self.commit}:./{path.as_posix()}")

    def files(self, folder: Path) -> list[Path]:
        """All files below a folder as they were then, in order."""
        listed = _git("ls-tree", "-r", "-z", "--name-only", self.commit, "--", f"{folder.as_posix()}/")
        return sorted(Path(name) for name in listed.split("\0") if name)


def find_revision(name: str) -> Revision:
    """The revision of a name.

    Raises:
        DataError: no Git, no repository, or no such revision.
    """
    commit = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fault=f"{name}: no such Git revision")
    return Revision(name, commit.strip())


def common_ancestor(name: str) -> Revision:
    """Where HEAD and another revision parted, called by the other's name: the other itself where HEAD is ahead of it.

    Raises:
        DataError: no Git, no repository, no such revision, or no common past (a shallow clone has none either).
    """
    find_revision(name)
    fault = f"{name} and HEAD have no common commit here; a shallow clone needs `git fetch --unshallow`"
    commit = _git("merge-base", name, "HEAD", fault=fault).strip()
    return Revision(commit[:_SHORT] if commit == name else name, commit)


def head() -> Revision:
    """The commit that is checked out."""
    return Revision("HEAD", _git("rev-parse", "HEAD").strip())


def uncommitted(paths: Sequence[Path]) -> list[str]:
    """Files at or below `paths` that differ from HEAD."""
    changed = _git("status", "--porcelain", "-z", "--no-renames", "--", *map(str, paths))
    return [entry[3:] for entry in changed.split("\0") if entry]


def trailers_since(base: Revision, key: str) -> list[tuple[str, str]]:
    """Short hash and value of every trailer `key: value` in the commits from `base` to HEAD, oldest first."""
    values = f"%(trailers:key={key},valueonly,unfold,separator={_hex(_FIELD)})"
    log = _git("log", "--reverse", f"--format=%h{_hex(_FIELD)}{values}{_hex(_RECORD)}", f"{base.commit}..HEAD")
    commits = (record.strip("\n").split(_FIELD) for record in log.split(_RECORD))
    return [(commit, value.strip()) for commit, *values in commits for value in values if value.strip()]


def web_address(remote: str) -> str:
    """`https://host/owner/name` of a remote in any of Git's spellings, without the name and password that it may carry.

    Raises:
        DataError: the repository has no such remote, or it is a folder.
    """
    url = _git("remote", "get-url", remote, fault=f"{remote}: no such Git remote").strip()
    found = _WEB.fullmatch(url)
    if not found:
        raise DataError(f"remote {remote} is {url}, which is not on the web")
    return f"https://{found['host']}/{found['path']}"


def _hex(sign: str) -> str:
    return f"%x{ord(sign):02x}"


def _git(*arguments: str, fault: str = "") -> str:
    return _git_bytes(*arguments, fault=fault).decode("utf-8")


def _git_bytes(*arguments: str, fault: str = "") -> bytes:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout
    except OSError as error:
        raise DataError(f"git cannot be run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DataError(fault or (said[-1] if said else f"git {arguments[0]} failed")) from error
