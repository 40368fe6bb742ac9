"""Put each known failure of the reference back into a copy of the code, and see that a test fails.

Every patch in tests/mutants/ says in its head which failure it is and which tests must notice.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
TESTS_FAILED = 1  # pytest's exit status; any other says that the tests could not be run


@dataclass(frozen=True)
class Mutant:
    """A bug to put back.

    Attributes:
        patch: file in git's format.
        failure: what it is, in a few words.
        tests: node ids of the tests of which each must fail.
    """

    patch: Path
    failure: str
    tests: tuple[str, ...]


def read_mutants() -> list[Mutant]:
    """All mutants, by number."""
    return [_read(path) for path in sorted((ROOT / "tests" / "mutants").glob("*.patch"))]


def copy_repository(folder: Path) -> None:
    """Copy the files that git knows or would add, without results."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "tests", "*.toml", "*.yaml"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def apply(patch: Path, folder: Path, *options: str) -> None:
    """Apply a patch in a folder that is no repository; a CalledProcessError if it does not fit."""
    subprocess.run(["git", "apply", *options, str(patch)], cwd=folder, check=True, capture_output=True)


def main() -> int:
    """Run everything; the exit status is the number of mutants that nobody noticed."""
    mutants = read_mutants()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_repository(folder)
        wanted = sorted({test for mutant in mutants for test in mutant.tests})
        healthy = _run_tests(folder, wanted)
        if healthy.returncode:
            print(f"the tests fail without any mutant:\n{healthy.stdout[-2000:]}", file=sys.stderr)
            return len(mutants)
        survivors = 0
        for mutant in tqdm(mutants, desc="mutants"):
            apply(mutant.patch, folder)
            done = _run_tests(folder, mutant.tests)
            apply(mutant.patch, folder, "--reverse")
            failed = re.findall(r"^FAILED (\S+)", done.stdout, flags=re.MULTILINE)
            blind = [test for test in mutant.tests if not any(name.startswith(test) for name in failed)]
            killed = done.returncode == TESTS_FAILED and not blind
            survivors += not killed
            verdict = "noticed" if killed else f"NOT NOTICED by {', '.join(blind)} (pytest status {done.returncode})"
            tqdm.write(f"{mutant.patch.stem}: {mutant.failure}: {verdict}")
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants noticed")
    return survivors


def _read(path: Path) -> Mutant:
    head, _, _ = path.read_text(encoding="utf-8").partition("diff --git")
    fields = dict(line.split(": ", maxsplit=1) for line in head.splitlines() if ": " in line)
    return Mutant(path, fields["Failure"], tuple(fields["Tests"].split()))


def _run_tests(folder: Path, tests: "tuple[str, ...] | list[str]") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
