"""The matrix of an evaluation, each attack computed once, beside one that attacks anew for every condition.

Anew: every condition of the score tables by itself, so that PGD runs again for each codec that follows, where reals are
attacked too, and where an attack that knows the codec starts from it; what goes on after PGD runs on all fakes, and
every budget of the curve starts from nothing. Attacks, crops and codecs are the same. From the repository's root, after
`dvc repro`:

    PYTHONPATH=src python benchmarks/evaluation.py --crops data/crops/train --model models/release/robust.pt \
        --attacker models/attacker_robust.pt --out benchmarks/results/evaluation
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from timing import circumstances, line, rotated, write_table

from deepfake.attacks.learned import load_attacker
from deepfake.attacks.pgd import PGD
from deepfake.crops.choosing import few_per_video
from deepfake.crops.shards import open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Threat, both_classes, few_clips
from deepfake.evaluation.budgets import AtBudget, score_eps_curve
from deepfake.evaluation.conditions import CLEAN, Condition, attacked_conditions, compressed_conditions
from deepfake.evaluation.prediction import corrupted, score_clips, whole_clips
from deepfake.evaluation.remembered import Remembered
from deepfake.evaluation.subset import few_test_videos, holds_clips
from deepfake.evaluation.suite import further_threats, score_adaptive, score_both_classes, score_further
from deepfake.evaluation.target import Target
from deepfake.params import Params, load_params
from deepfake.records import FAKE, REAL, FrameScore
from deepfake.runtime import derive_seed, open_device, worker_count
from deepfake.stage import run

ONCE, ANEW = "each attack once", "attacking anew for every condition"
CODECS, CROSSED, ADAPTIVE, BEYOND, CURVE = "codecs", "attacks × codecs", "adaptive attacks", "after PGD", "eps curve"
WHOLE = "whole matrix"

Part = tuple[str, list[FrameScore]]  # of the matrix: its name, and what it scored


@dataclass(frozen=True)
class Matrix:
    """An evaluation to come: parameters, the detector with its clean scores, what follows an attack, and attacks that
    a codec follows, PGD first."""

    params: Params
    target: Target
    codecs: Sequence[Condition]
    threats: Sequence[Threat]

    def further(self, eps: float) -> list[Threat]:
        """What goes on after PGD at one budget; the costliest attacks at the evaluation's own budget only."""
        suite = self.params.evaluate.suite
        if eps != self.params.attack.eps:
            suite = suite.model_copy(update={"pgd_steps": 0, "square_queries": 0})
        return further_threats(suite, eps, self.threats[0].seed)

    def ladder(self, eps: float) -> list[Threat]:
        """PGD and what goes on after it at one budget."""
        steps, restarts, seed = self.params.attack.steps, self.params.attack.restarts, self.threats[0].seed
        return [Threat("pgd", PGD(eps, steps, restarts), eps, seed), *self.further(eps)]


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    matrix = open_matrix(args, load_params())
    seconds: dict[str, dict[str, list[float]]] = {}
    for number in range(args.rounds):
        for name in rotated([ONCE, ANEW], number):
            for part, found in clocked({ONCE: once, ANEW: anew}[name], matrix).items():
                seconds.setdefault(part, {ONCE: [], ANEW: []})[name].append(found)
    lines = [
        line(part, ANEW, "minutes", found[ONCE], found[ANEW], 2.0 if part == WHOLE else None, less_is_better=True)
        for part, found in seconds.items()
    ]
    videos = matrix.target.crops.videos.values()
    write_table(args.out, lines, [
        f"{len(matrix.target.crops.rows)} crops of {len(videos)} test videos under attack, profile "
        f"{matrix.params.evaluate.profile}, {args.model.name}",
        "codecs that no attack comes before cost the same both ways",
        circumstances(open_device(), args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--model", required=True, type=Path, help="checkpoint to score with")
    parser.add_argument("--attacker", required=True, type=Path, help="attacker that was fitted against it")
    parser.add_argument("--videos", type=int, default=25, help="test videos of each class (default: 25)")
    parser.add_argument("--rounds", type=int, default=3, help="times that everything runs (default: 3)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def open_matrix(args: argparse.Namespace, params: Params) -> Matrix:
    """What is to be evaluated, with clean scores, which no clock counts: they say which fakes stand."""
    crops = few_test_videos(open_crops(args.crops).in_splits(["test"]), args.videos)
    require_both_classes(crops, ["test"], args.crops)
    device, settings = open_device(), params.attack
    model, seed = load_checkpoint(args.model).build(device), derive_seed(params.seed, "evaluate")
    pgd, learned = PGD(settings.eps, settings.steps, settings.restarts), load_attacker(args.attacker, device)
    threats = [Threat("pgd", pgd, settings.eps, seed), Threat("unet", learned, settings.eps, seed)]
    codecs = attacked_conditions(params.evaluate, with_video=holds_clips(crops))
    target = Target(model, crops, {}, params.evaluate.batch_size, worker_count())
    plain = {codec.name: list(scores_after(target, codec)) for codec in codecs}
    return Matrix(params, replace(target, plain=plain), codecs, threats)


def once(matrix: Matrix) -> Iterator[Part]:
    """As the evaluate stage does it."""
    target, evaluate, eps = matrix.target, matrix.params.evaluate, matrix.params.attack.eps
    yield CODECS, _all_codecs(matrix)
    first = _remembered(matrix.threats[0])
    crossed = [score_both_classes(target, threat, matrix.codecs, real_clips=evaluate.real_clips)
               for threat in (first, *matrix.threats[1:])]  # fmt: skip
    yield CROSSED, [score for done in crossed for score in done.scores]
    yield ADAPTIVE, _adaptive(matrix, matrix.codecs, first)
    pgd = [score for score in crossed[0].scores if score.condition == "pgd"]
    beyond = [done.scores for done in score_further(target, matrix.further(eps), pgd)]
    yield BEYOND, [score for scores in beyond for score in scores]
    known = {eps: AtBudget(pgd, beyond[0] if evaluate.suite.apgd_steps else pgd)}
    ladders = {each: matrix.ladder(each) for each in evaluate.eps_curve if each != eps}
    score_eps_curve(target, few_per_video(target.crops, evaluate.eps_frames), known, ladders)
    yield CURVE, []


def anew(matrix: Matrix) -> Iterator[Part]:
    """Every condition by itself."""
    target, evaluate, eps = matrix.target, matrix.params.evaluate, matrix.params.attack.eps
    fakes, both = target.crops.of_label(FAKE), few_clips(target.crops, REAL, evaluate.real_clips)
    yield CODECS, _all_codecs(matrix)
    scores: list[FrameScore] = []
    for threat in matrix.threats:
        for codec in matrix.codecs:
            scores += target.attack(fakes, threat, [codec]).scores
            scores += both_classes(target.attack(both, threat, [codec]).scores)
    yield CROSSED, scores
    starts = ((codec, _remembered(matrix.threats[0])) for codec in matrix.codecs)
    yield ADAPTIVE, [score for codec, start in starts for score in _adaptive(matrix, [codec], start)]
    yield BEYOND, [score for threat in matrix.further(eps) for score in target.attack(fakes, threat, [CLEAN]).scores]
    few = few_per_video(target.crops, evaluate.eps_frames).of_label(FAKE)
    for threat in (threat for each in evaluate.eps_curve for threat in matrix.ladder(each)):
        target.attack(few, threat, [CLEAN])
    yield CURVE, []


def clocked(way: Callable[[Matrix], Iterable[Part]], matrix: Matrix) -> dict[str, float]:
    """Minutes of every part, and of the whole matrix."""
    minutes, start = {}, perf_counter()
    for part, _ in way(matrix):
        end = perf_counter()
        minutes[part], start = (end - start) / 60, end
    return minutes | {WHOLE: sum(minutes.values())}


def _all_codecs(matrix: Matrix) -> list[FrameScore]:
    conditions = compressed_conditions(matrix.params.evaluate, with_video=holds_clips(matrix.target.crops))
    return [score for condition in conditions for score in scores_after(matrix.target, condition)]


def _remembered(threat: Threat) -> Threat:
    return replace(threat, attack=Remembered(threat.attack))


def _adaptive(matrix: Matrix, codecs: Sequence[Condition], start: Threat) -> list[FrameScore]:
    steps = matrix.params.evaluate.suite.adaptive_steps
    found = score_adaptive(matrix.target, codecs, start, steps) if steps else ()
    return [score for done in found for score in done.scores]


def scores_after(target: Target, condition: Condition) -> Iterator[FrameScore]:
    """Scores of all crops of a target under a codec that no attack comes before."""
    read = corrupted(whole_clips(target.crops), condition.corrupt)
    for batch in score_clips(target.model, target.crops.clips(), read, condition=condition.name,
                             batch_size=target.batch_size, workers=target.workers):  # fmt: skip
        yield from batch


if __name__ == "__main__":
    sys.exit(run(main))
