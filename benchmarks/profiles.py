"""Do harder attacks find more? The quick profile beside the thorough one, on the videos that both attacked.

The thorough scores come from an experiment in a clone (`dvc exp run -S evaluate.profile=thorough`), the quick ones from
the pipeline. From the repository's root:

    PYTHONPATH=src python benchmarks/profiles.py --quick data/scores --thorough ../clone/data/scores \
        --out benchmarks/results/profiles
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from timing import write_markdown

from deepfake.errors import DataError
from deepfake.metrics.ranking import roc_auc
from deepfake.params import Params, load_params
from deepfake.reporting.conditions import ADAPTIVE, CLEAN, WORST, parse_condition
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.scores import ScoreSet, load_score_sets
from deepfake.reporting.wording import budget, condition_title, role_name
from deepfake.stage import run
from deepfake.tables import write_rows

_ROUNDING = 1e-3  # logits; what another machine makes of the same crop


@dataclass(frozen=True)
class Line:
    """AUC of the videos that both profiles attacked, in [0, 1].

    Attributes:
        model, role: whose, on what.
        under: what was done to the videos.
        videos: how many of both classes.
        quick, thorough: AUC under the attacks of either profile.
    """

    model: str
    role: str
    under: str
    videos: int
    quick: float
    thorough: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    roles = [role for role, dataset in params.datasets if dataset]
    quick, thorough = (load_score_sets(root, roles) for root in (args.quick, args.thorough))
    if [one.name for one in quick] != [other.name for other in thorough]:
        raise DataError(f"{args.quick} and {args.thorough}: not the same models and datasets")
    lines = [line for pair in zip(quick, thorough, strict=True) for line in compare(*pair)]
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    rows = [[line.model, role_name(line.role), line.under, str(line.videos), f"{line.quick:.4f}",
             f"{line.thorough:.4f}"] for line in lines]  # fmt: skip
    head = ["model", "videos", "under", "number", "AUC, quick", "AUC, thorough"]
    write_markdown(args.out, head, rows, _notes(lines, params))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", required=True, type=Path, help="score folders of the quick profile")
    parser.add_argument("--thorough", required=True, type=Path, help="score folders of the thorough profile")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def compare(quick: ScoreSet, thorough: ScoreSet) -> Iterator[Line]:
    """Clean, worst cases and adaptive attacks that both have, and the worst case at every budget of the curve.

    Raises:
        DataError: the clean scores differ, so that the detectors did; or the videos are all of one class.
    """
    one, other = _by_condition(quick), _by_condition(thorough)
    clean, again = (found[condition_title(CLEAN)] for found in (one, other))
    if any(abs(clean[video][0] - again[video][0]) > _ROUNDING for video in set(clean) & set(again)):
        raise DataError(f"{quick.name}: the clean scores differ, so these are not the same detectors")
    for under in one:
        if under in other:
            left, right = one[under], other[under]
            common = set(left) & set(right)
            yield Line(quick.model, quick.role, under, len(common), _auc(left, common), _auc(right, common))


def _by_condition(scores: ScoreSet) -> Mapping[str, Mapping[str, tuple[float, int]]]:
    """Logit and label of every video, by what was done to it."""
    frames = scores.frames
    found = {CLEAN: frames[CLEAN]}
    found |= {name: items for name, items in frames.items() if parse_condition(name).attack in (WORST, ADAPTIVE)}
    told = {condition_title(name): items for name, items in found.items()}
    curve = scores.eps_curve[WORST].items()
    told |= {f"{condition_title(WORST)} at {budget(eps)}": items for eps, items in curve if eps}
    return {title: _by_video(items) for title, items in told.items()}


def _by_video(items: Items) -> dict[str, tuple[float, int]]:
    videos = to_videos(items)
    return dict(zip(videos.names, zip(videos.scores.tolist(), videos.labels.tolist(), strict=True), strict=True))


def _auc(found: Mapping[str, tuple[float, int]], videos: set[str]) -> float:
    logits, labels = zip(*(found[video] for video in sorted(videos)), strict=True)
    return round(roc_auc(logits, labels), 4)


def _notes(lines: Sequence[Line], params: Params) -> Iterator[str]:
    quick, thorough = params.evaluate.quick, params.evaluate.thorough
    yield f"quick: PGD-{params.attack.steps}, APGD-{quick.apgd_steps}, adaptive PGD-{quick.adaptive_steps}"
    yield (
        f"thorough: also PGD-{thorough.pgd_steps} with {thorough.pgd_restarts} restarts, APGD-{thorough.apgd_steps} "
        f"with {thorough.apgd_restarts}, Square with {thorough.square_queries} queries, and adaptive "
        f"PGD-{thorough.adaptive_steps}"
    )
    lost = max(lines, key=lambda line: line.quick - line.thorough)
    yield (
        f"the most that thorough takes away beyond quick: {lost.quick - lost.thorough:.4f} "
        f"({lost.model}, {role_name(lost.role)}, {lost.under})"
    )


if __name__ == "__main__":
    sys.exit(run(main))
