"""Not a stage: say in Markdown what this branch changes in the results, and judge whether it may.

Compares what is checked out with where it left another revision. docs/review.md shows how that is used.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.errors import DataError, SettingsError
from deepfake.params import load_params
from deepfake.reporting.comparison import Comparison, compare
from deepfake.reporting.gate import TRAILER, Ruling, read_acceptances, rule
from deepfake.reporting.headline import read_headline, read_intervals
from deepfake.reporting.pull_request import Change, Pictures, metric_lines, render
from deepfake.reporting.revision import Revision, common_ancestor, head, trailers_since, uncommitted, web_address
from deepfake.reporting.revision_pictures import Links, local_links, picture_pairs, web_links
from deepfake.reporting.wording import ROLES
from deepfake.runtime import replacing
from deepfake.stage import run

HEADLINE, INTERVALS, PLOTS = Path("metrics/headline.json"), Path("metrics/intervals.json"), Path("plots")
STORE = Path(".work/pr_report")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="main", help="revision that this branch is to be merged into")
    parser.add_argument("--out", type=Path, default=Path("pr-report.md"), help="Markdown file to write")
    parser.add_argument("--images", default="local", help="local, the name of a Git remote, or https://host/owner/name")
    parser.add_argument("--gate", action="store_true", help="write nothing; fail where a guarded metric declined")
    args = parser.parse_args(argv)

    base = common_ancestor(args.base)
    comparisons = _compare(base)
    rulings = rule(comparisons, read_acceptances(trailers_since(base, TRAILER)))
    if args.gate:
        _judge(rulings)
        return
    now, changed = head(), uncommitted([Path("params.yaml"), HEADLINE.parent, PLOTS])
    links = _links(args.images, args.out, base, now, changed)
    intervals = read_intervals(INTERVALS.read_bytes(), str(INTERVALS)) if INTERVALS.is_file() else {}
    change = Change(
        base=base,
        now=now,
        uncommitted=changed,
        lines=metric_lines(comparisons, intervals, rulings),
        rulings=rulings,
        params=_changed_params(base),
        pictures=[_pictures(role, base, links) for role in ROLES],
    )
    with replacing(args.out) as temporary:
        temporary.write_text(render(change), encoding="utf-8")
    print(f"{args.out}: {change.counts}")


def _compare(base: Revision) -> list[Comparison]:
    if not HEADLINE.is_file():
        raise DataError(f"{HEADLINE}: no such file; run from the root of the repository, after `dvc repro report`")
    committed = read_headline(base.read(HEADLINE) or "{}", f"{HEADLINE} of {base.name}")
    now = read_headline(HEADLINE.read_bytes(), str(HEADLINE))
    return compare(committed, now, read_intervals(base.read(INTERVALS) or "{}", f"{INTERVALS} of {base.name}"))


def _judge(rulings: Sequence[Ruling]) -> None:
    print("\n".join(map(str, rulings)) or "gate: neither revision has a metric that is guarded")
    failed = sum(not ruling.passes for ruling in rulings)
    if failed:
        raise DataError(f"{failed} of {len(rulings)} guarded metrics may not pass; see docs/review.md")


def _links(images: str, out: Path, base: Revision, now: Revision, changed: Sequence[str]) -> Links:
    if images == "local":
        return local_links(out, base, STORE)
    if changed:
        raise SettingsError(
            f"{changed[0]} is not committed: --images {images} would show another state than the numbers"
        )
    return web_links(images if images.startswith("https://") else web_address(images), base, now)


def _changed_params(base: Revision) -> dict[str, tuple[object, object]]:
    """Old and new value of each parameter by dotted key, as DVC sees it; it takes a broken file for an empty one."""
    load_params()
    command = [sys.executable, "-m", "dvc", "params", "diff", "--json", base.commit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataError(f"`dvc params diff` failed: {(done.stderr.strip().splitlines() or ['it says nothing'])[-1]}")
    files: dict[str, dict[str, dict[str, object]]] = json.loads(done.stdout)
    changes = {key: change for file in files.values() for key, change in file.items()}
    return {key: (changes[key].get("old"), changes[key].get("new")) for key in sorted(changes)}


def _pictures(role: str, base: Revision, links: Links) -> Pictures:
    curves, panels = (list(picture_pairs(PLOTS / name / role, base, links)) for name in ("figures", "gradcam"))
    return Pictures(ROLES[role], curves, panels)


if __name__ == "__main__":
    sys.exit(run(main))
