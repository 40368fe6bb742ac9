"""What the name of a condition says, how conditions are grouped, and the worst case over the attacks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from deepfake.errors import DataError
from deepfake.records import FAKE
from deepfake.reporting.items import Items

CLEAN, WORST, PGD, UNET = "clean", "worst", "pgd", "unet"
FURTHER = ("apgd", "pgd_strong", "square")  # each on fakes that stood until then: scores are the worst so far
ADAPTIVE = "adaptive"  # knows the codec that follows
ATTACKS = (PGD, *FURTHER, UNET, ADAPTIVE)
LEVELS = 255  # budgets are told in steps of an 8-bit pixel
GROUPS = ("compression", "attacks", "attacks, then compression", "worst case", "both classes attacked")

_ATTACK = "|".join(sorted((*ATTACKS, WORST), reverse=True))  # a longer name before the one that it begins with
_NAME = re.compile(rf"(?:(?P<attack>{_ATTACK})(?P<both>_both)?(?:_|$))?(?P<codec>.*)")
_HEADLINE = (r"clean", r"unet_jpeg\d+", r"unet_h264_crf\d+", r"worst")


@dataclass(frozen=True)
class Condition:
    """A condition, taken apart.

    Attributes:
        attack: one of `ATTACKS`, `worst` (the strongest of all, frame by frame), or "".
        both: whether reals are attacked too; if not, the attacker perturbs fakes only, to evade.
        codec: the compression that follows, or "".
    """

    attack: str
    both: bool
    codec: str

    @property
    def group(self) -> str:
        """The one of `GROUPS` that it is shown in."""
        compression, attacks, then_compressed, worst, both = GROUPS
        if not self.attack:
            return compression
        if self.both:
            return both
        if self.attack == WORST:
            return worst
        return then_compressed if self.codec else attacks


def parse_condition(name: str) -> Condition:
    """`unet`, both classes, `jpeg50` for `unet_both_jpeg50`; clean has neither attack nor codec."""
    found = _NAME.fullmatch(name)
    if not found:
        return Condition("", False, name)
    codec = found["codec"]
    return Condition(found["attack"] or "", bool(found["both"]), "" if codec == CLEAN else codec)


def worst_at(eps: float) -> str:
    """What the worst case at a budget of the eps curve is called in tables of differences: `worst_eps2` for 2/255."""
    return f"{WORST}_eps{LEVELS * eps:g}"


def by_group(names: Iterable[str]) -> list[str]:
    """Names of conditions in the order of `GROUPS`, within a group as they came."""
    return sorted(names, key=lambda name: GROUPS.index(parse_condition(name).group))


def followed_codecs(names: Iterable[str]) -> list[str]:
    """The codecs among `names` that follow an attack on fakes."""
    parsed = map(parse_condition, names)
    return list(dict.fromkeys(each.codec for each in parsed if each.attack in ATTACKS and each.codec and not each.both))


def headline_conditions(names: Iterable[str]) -> list[str]:
    """Those of `names` that a summary is about: clean, the U-Net before each kind of codec, and the worst case."""
    present = list(names)
    firsts = (next((name for name in present if re.fullmatch(pattern, name)), None) for pattern in _HEADLINE)
    return [name for name in firsts if name is not None]


def with_worst_case(frames: Mapping[str, Items]) -> dict[str, Items]:
    """`frames`, and for every codec that follows an attack the worst case over the attacks.

    It is called `worst`, or `worst_<codec>`: the lowest logit of each fake over the codec alone and each attack before
    it. Reals are as under the codec alone. It comes only where the codec alone was scored too.

    Raises:
        DataError: a codec alone and after an attack were scored on other frames.
    """
    codecs: dict[str, list[str]] = {}
    for name in frames:
        condition = parse_condition(name)
        if condition.attack in ATTACKS and not condition.both:
            codecs.setdefault(condition.codec, []).append(name)
    worst = {
        f"{WORST}_{codec}" if codec else WORST: _worst(frames, codec or CLEAN, attacked)
        for codec, attacked in codecs.items()
        if (codec or CLEAN) in frames
    }
    return {**frames, **worst}


def _worst(frames: Mapping[str, Items], alone: str, attacked: Iterable[str]) -> Items:
    plain = frames[alone]
    lowest = plain.scores
    for name in attacked:
        if frames[name].names != plain.names:
            raise DataError(f"{name} has scores of other frames than {alone}: they give no worst case")
        lowest = np.minimum(lowest, frames[name].scores)
    return Items(plain.names, plain.videos, np.where(plain.labels == FAKE, lowest, plain.scores))
