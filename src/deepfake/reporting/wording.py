"""How numbers, conditions and datasets are called where a person reads them."""

import math
import re

from deepfake.reporting.conditions import ADAPTIVE, FURTHER, PGD, UNET, WORST, parse_condition
from deepfake.reporting.matrix import Estimate

ROLES = {"train": "in-domain", "cross": "cross-dataset"}
_CODECS = (
    (re.compile(r"jpeg(\d+)"), r"JPEG quality \1"),
    (re.compile(r"h264_crf(\d+)"), r"H.264 CRF \1"),
)
_ATTACKS = {
    PGD: "PGD",
    **dict(zip(FURTHER, ("APGD", "strong PGD", "Square"), strict=True)),
    UNET: "U-Net",
    ADAPTIVE: "adaptive PGD",
    WORST: "worst case",
}
_CHECKS = {
    "zero_budget_changes": "an attack with no budget changes the answer",
    "forward_differs": "the same crop gets two answers",
    "zero_gradients": "crops without a gradient",
    "auc_at_32_255": "the detector survives a budget that none can",
    "auc_rises_with_eps": "a larger budget makes a weaker attack",
    "more_steps_help": "PGD has not converged: twice the steps are stronger",
    "single_step_wins": "one step beats a hundred",
    "noise_wins": "random noise beats PGD",
    "square_wins": "a search without gradients beats PGD",
    "transfer_wins": "an attack on another detector beats PGD on this one",
    "adaptive_loses": "who knows the codec does worse than who does not",
    "undefended_auc": "even an undefended detector is not broken",
}
_SUBJECTS = {
    "robust": "robust detector",
    "robust_minus_baseline": "robust − baseline",
    "robust_minus_longer": "robust − longer",
    "baseline": "baseline detector",
    "faceless": "detector that sees no face",
}
_METRICS = {
    "auc": "AUC",
    "partial_auc": "partial AUC",
    "tpr_at_1pct_fpr": "TPR at 1 % FPR",
    "coverage": "videos in which a face was found",
    "gradient_masking_flags": "raised checks for masked gradients",
}
_PICTURES = {"roc": "ROC curves", "eps": "AUC against the budget"}
_AT_BUDGET = re.compile(r"worst_eps(\d+)")
_ABSENT = "–"


def role_name(role: str) -> str:
    """`in-domain` for the role train, `cross-dataset` for the role cross."""
    return ROLES.get(role, role)


def role_title(role: str, dataset: str) -> str:
    """The name of a role and of its dataset: `in-domain (ffpp)`."""
    return f"{role_name(role)} ({dataset})"


def condition_title(condition: str) -> str:
    """`U-Net, then JPEG quality 50` for `unet_jpeg50`; a codec that has no title keeps its name.

    `+ APGD` for `apgd`, which goes on where the attacks before it failed.
    """
    parts = parse_condition(condition)
    if not parts.attack:
        return codec_title(condition)
    further = "+ " if parts.attack in FURTHER else ""
    attack = further + attack_title(parts.attack) + (", both classes" if parts.both else "")
    return f"{attack}, then {codec_title(parts.codec)}" if parts.codec else attack


def attack_title(attack: str) -> str:
    """`U-Net` for `unet`, with the codec that it knows in brackets; an attack that has no title keeps its name."""
    parts = parse_condition(attack)
    if parts.attack == ADAPTIVE and parts.codec:
        return f"{_ATTACKS[ADAPTIVE]} ({codec_title(parts.codec)})"
    return _ATTACKS.get(attack, attack)


def codec_title(codec: str) -> str:
    """`JPEG quality 50` for `jpeg50`; a codec that has no title keeps its name."""
    for pattern, title in _CODECS:
        if pattern.fullmatch(codec):
            return pattern.sub(title, codec)
    return codec


def label(name: str, length: int = 36) -> str:
    """A name where there is little room, in a figure or above a column: a long one loses its middle."""
    return name if len(name) <= length else f"{name[: length // 2]}…{name[-length // 2 + 1 :]}"


def metric_title(key: str) -> tuple[str, str]:
    """Subject and name of a headline metric: `robust detector, in-domain` and `AUC: worst case at 2/255`.

    A part that has no title keeps its name.
    """
    *parts, metric = key.split(".")
    subject = ", ".join(_SUBJECTS.get(part, role_name(part)) for part in parts[:2])
    return subject, ": ".join([_METRICS.get(metric, metric), *map(_scored_condition, parts[2:])])


def picture_title(name: str) -> str:
    """`Deepfakes, face 1` for `01_Deepfakes`, and what the files of other pictures are called."""
    number, _, method = name.partition("_")
    if method and number.isdecimal():
        return f"{method}, face {int(number)}"
    return _PICTURES.get(name, name.capitalize())


def number(value: float, decimals: int = 3) -> str:
    """A fixed number of decimals, a real minus sign, never `-0`; a dash where undefined."""
    if not math.isfinite(value):
        return _ABSENT
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace("-", "−")


def difference(value: float, decimals: int = 3) -> str:
    """As `number`, with a sign."""
    text = number(value, decimals)
    return f"+{text}" if math.isfinite(value) and round(value, decimals) > 0 else text


def bounds(estimate: Estimate, decimals: int = 3) -> str:
    """`0.912 to 0.981`; empty where there is no interval."""
    if not math.isfinite(estimate.low):
        return ""
    return f"{number(estimate.low, decimals)} to {number(estimate.high, decimals)}"


def percent(share: float, decimals: int = 1) -> str:
    """A share as a percentage with its unit."""
    return f"{number(100 * share, decimals)}\u00a0%" if math.isfinite(share) else _ABSENT


def budget(eps: float) -> str:
    """`8/255` for 0.0314: in steps of an 8-bit pixel."""
    return f"{255 * eps:.3g}/255"


def count(items: int) -> str:
    """A whole number with thousands apart."""
    return f"{items:,}".replace(",", "\u202f")


def check_title(name: str) -> str:
    """A check for masked gradients in words; one that has no title keeps its name, words apart."""
    return _CHECKS.get(name, name.replace("_", " "))


def _scored_condition(name: str) -> str:
    """As `condition_title`, also of the worst case at a budget and of what is no condition of the suite."""
    found = _AT_BUDGET.fullmatch(name)
    return f"{_ATTACKS[WORST]} at {found[1]}/255" if found else condition_title(name).replace("_", " ")
