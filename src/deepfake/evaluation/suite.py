"""The attacks of an evaluation, each computed once, costly ones only on fakes that the cheaper ones left standing.

After AutoAttack (Croce and Hein 2020). Whether a fake stands is judged by its rounded crop, as it is scored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from deepfake.attacks.adaptive import Adaptive
from deepfake.attacks.apgd import APGD
from deepfake.attacks.comparators import Transfer
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack
from deepfake.attacks.square import Square
from deepfake.attacks.unsaturated import Unsaturated
from deepfake.crops.shards import CropSet
from deepfake.evaluation.attacked import Attacked, Threat, both_classes, few_clips
from deepfake.evaluation.conditions import CLEAN, Condition
from deepfake.evaluation.target import Target
from deepfake.params import SuiteParams
from deepfake.records import FAKE, REAL, FrameScore


def further_threats(suite: SuiteParams, eps: float, seed: int) -> list[Threat]:
    """The attacks after PGD, in their order; one that has no steps is left out."""
    attacks: list[tuple[int, str, Attack]] = [
        (suite.apgd_steps, "apgd", Unsaturated(APGD(eps, suite.apgd_steps, suite.apgd_restarts))),
        (suite.pgd_steps, "pgd_strong", Unsaturated(PGD(eps, max(1, suite.pgd_steps), suite.pgd_restarts))),
        (suite.square_queries, "square", Square(eps, suite.square_queries)),
    ]
    return [Threat(name, attack, eps, seed) for steps, name, attack in attacks if steps]


def score_both_classes(target: Target, threat: Threat, codecs: Sequence[Condition], *, real_clips: int) -> Attacked:
    """Fakes and reals attacked, and every codec after it.

    Args:
        target: the detector and its crops.
        threat: the attack.
        codecs: what follows, `CLEAN` for nothing.
        real_clips: clips of each real video that are attacked.

    Returns:
        Whole tables: attacked fakes among reals that met the codec only (`pgd_jpeg50`), and all that was attacked
        (`pgd_both_jpeg50`).
    """
    done = target.attack(few_clips(target.crops, REAL, real_clips), threat, codecs)
    fakes = [score for score in done.scores if not target.is_real(score)]
    reals = [score for codec in codecs for score in target.reals(codec, codec.after(threat.name))]
    return Attacked([*fakes, *reals, *both_classes(done.scores)], done.perturbations)


def score_further(target: Target, threats: Sequence[Threat], before: Sequence[FrameScore]) -> Iterator[Attacked]:
    """What one attack after the other finds beyond those before it; no codec follows.

    Args:
        target: the detector and its crops.
        threats: from the cheapest on.
        before: scores of all fakes under the first attack, and maybe of reals.
    """
    fakes, best = target.crops.of_label(FAKE), before
    for threat in threats:
        found = score_beyond(target, fakes, threat, best)
        best = found.scores
        yield replace(found, scores=[*best, *target.reals(CLEAN, threat.name)])


def score_beyond(target: Target, fakes: CropSet, threat: Threat, before: Sequence[FrameScore]) -> Attacked:
    """One attack more, on the fakes that still stand; each fake keeps its lowest logit so far.

    Args:
        target: the detector.
        fakes: crops of fakes.
        threat: the attack.
        before: their scores so far, and maybe those of others.
    """
    lowest = {(score.video, score.frame): score.logit for score in before}
    floor = target.floor  # gathered: asked for by every rank, one without fakes too
    standing = [row for row in fakes.rows if lowest[row.video, row.frame] > floor]
    done = target.attack(fakes.with_rows(standing), threat, [CLEAN])
    for score in done.scores:
        place = score.video, score.frame
        lowest[place] = min(lowest[place], score.logit)
    scores = [
        FrameScore(threat.name, row.video, row.clip, row.frame, lowest[row.video, row.frame]) for row in fakes.rows
    ]
    return replace(done, scores=scores)


def score_adaptive(target: Target, codecs: Sequence[Condition], start: Threat, steps: int) -> Iterator[Attacked]:
    """An attacker who knows the codec that follows, on every fake; scored after the real codec.

    Args:
        target: the detector and its crops.
        codecs: what follows; those without a stand-in are passed over.
        start: finds what it starts from, not knowing the codec.
        steps: from there on, through each codec's stand-ins.
    """
    for codec in codecs:
        if not codec.stand_ins:
            continue
        known = Transfer(target.model, start.attack)  # on the detector as it is
        adaptive = Unsaturated(Adaptive(known, start.eps, steps, codec.stand_ins, one_clip=codec.whole_clips))
        threat = replace(start, name="adaptive", attack=adaptive)
        batch_size = 1 if codec.whole_clips else None
        done = target.attack(target.crops.of_label(FAKE), threat, [codec], batch_size=batch_size)
        yield replace(done, scores=[*done.scores, *target.reals(codec, codec.after(threat.name))])
