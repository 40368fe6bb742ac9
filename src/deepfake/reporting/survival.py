"""How much of an attack survives compression."""

import math
from collections.abc import Mapping

from deepfake.reporting.conditions import ADAPTIVE, CLEAN, PGD, followed_codecs, parse_condition
from deepfake.reporting.matrix import MetricRow

MIN_LOSS = 0.01  # of AUC; a share of less says nothing


def shares_left(rows: Mapping[str, MetricRow], attack: str) -> dict[str, float]:
    """By codec: what the AUC loses to an attack after the codec, relative to what it loses to it without one.

    An attack that knows the codec is not scored without it: what it costs is told relative to what PGD costs without
    a codec.

    Args:
        rows: of one model by condition, all of one level.
        attack: as perturbations are named: `pgd`, `adaptive_jpeg50`.

    Returns:
        A share for every codec that follows any attack; NaN where this attack was not scored before it, or where it
        costs less than `MIN_LOSS` without one.
    """
    return {codec: _share_left(rows, attack, codec) for codec in followed_codecs(rows)}


def _share_left(rows: Mapping[str, MetricRow], attack: str, codec: str) -> float:
    known = parse_condition(attack)
    alone, after = (PGD, attack) if known.attack == ADAPTIVE else (attack, f"{attack}_{codec}")
    needed = (CLEAN, alone, codec, after)
    if known.codec not in ("", codec) or any(name not in rows for name in needed):
        return math.nan
    clean, attacked, compressed, both = (rows[name].estimates["auc"].value for name in needed)
    return (compressed - both) / (clean - attacked) if clean - attacked >= MIN_LOSS else math.nan
