"""The sheet of perturbations: what each attack does to a face, and how differently their changes look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from deepfake.explain.drawing import MUTED, draw, levels, shorten, tile, write
from deepfake.records import VideoKey

_TILE, _GAP, _GROUP = 1.6, 0.05, 0.3
_LEFT, _TOP, _RIGHT, _FOOT = 0.2, 0.62, 0.2, 0.5
_WINDOW = 80  # pixels of a crop that are shown at most: changes are to be seen pixel by pixel


@dataclass(frozen=True)
class AttackedFace:
    """A face before and after its attacks.

    Attributes:
        video: text form of the VideoKey.
        crop: uint8 RGB (S, S, 3).
        attacked: by detector and by name of the attack, uint8 RGB (S, S, 3).
    """

    video: str
    crop: np.ndarray
    attacked: Mapping[str, Mapping[str, np.ndarray]]


def draw_perturbations(faces: Sequence[AttackedFace], *, eps: float) -> bytes:
    """A PNG: for each face a row for each detector; beside each attacked crop its change, amplified around grey.

    Args:
        faces: with the same detectors and attacks.
        eps: budget of the attacks; a change of so much becomes about black or white.
    """
    models = list(faces[0].attacked)
    attacks = list(faces[0].attacked[models[0]])
    width = _attack_left(len(attacks)) - _GROUP + _RIGHT
    block = len(models) * (_TILE + _GAP) + _GROUP
    height = _TOP + len(faces) * block - _GROUP + _FOOT

    def paint(figure: Figure) -> None:
        _head(figure, attacks, height)
        for number, face in enumerate(faces):
            _introduce(figure, face, bottom=height - _TOP - number * block - _TILE - _GAP)
            for row, model in enumerate(models):
                bottom = height - _TOP - number * block - (row + 1) * (_TILE + _GAP)
                _paint_row(figure, face, model, bottom=bottom, factor=amplification(eps))
        _foot(figure, faces, eps)

    return draw(paint, width=width, height=height, shades=32)  # noise hides coarser shades still


def amplification(eps: float) -> int:
    """The largest whole factor with which a change of `eps` stays between black and white around grey."""
    return max(1, int(0.5 / eps))


def amplify(attacked: np.ndarray, crop: np.ndarray, factor: int) -> np.ndarray:
    """The change of a crop times a factor, around grey, as uint8 RGB (S, S, 3)."""
    change = attacked.astype(int) - crop.astype(int)
    return np.clip(128 + factor * change, 0, 255).astype(np.uint8)


def _introduce(figure: Figure, face: AttackedFace, *, bottom: float) -> None:
    key = VideoKey.parse(face.video)
    _show(figure, _LEFT, bottom, face.crop)
    write(figure, _LEFT, bottom - 0.2, key.method, weight="bold", size=9.5)
    write(figure, _LEFT, bottom - 0.4, shorten(key.video, 24), color=MUTED)


def _paint_row(figure: Figure, face: AttackedFace, model: str, *, bottom: float, factor: int) -> None:
    style = {"rotation": 90, "ha": "right", "va": "center", "weight": "bold", "size": 10}
    write(figure, _attack_left(0) - 0.08, bottom + _TILE / 2, model, **style)
    for number, attacked in enumerate(face.attacked[model].values()):
        left = _attack_left(number)
        _show(figure, left, bottom, attacked)
        _show(figure, left + _TILE + _GAP, bottom, amplify(attacked, face.crop, factor))


def _show(figure: Figure, left: float, bottom: float, picture: np.ndarray) -> None:
    rim = max(0, len(picture) - _WINDOW) // 2
    window = picture[rim : len(picture) - rim, rim : len(picture) - rim]
    tile(figure, left, bottom, _TILE).imshow(window, interpolation="nearest")


def _head(figure: Figure, attacks: Sequence[str], height: float) -> None:
    columns = [(_LEFT, "clean")]
    for number, attack in enumerate(attacks):
        left = _attack_left(number)
        write(figure, left + _TILE + _GAP / 2, height - 0.28, attack, ha="center", weight="bold", size=11)
        columns += [(left, "attacked"), (left + _TILE + _GAP, "its change")]
    for left, title in columns:
        write(figure, left + _TILE / 2, height - _TOP + 0.08, title, ha="center", size=9.5)


def _foot(figure: Figure, faces: Sequence[AttackedFace], eps: float) -> None:
    lines = [
        "Each detector is attacked by PGD and by the U-Net that was fitted against it, "
        f"within ε = {levels(eps)} of every pixel.",
        f"Changes are shown × {amplification(eps)} around grey, so that grey is no change.",
    ]
    if len(faces[0].crop) > _WINDOW:
        lines[1] += f" Shown are the {_WINDOW} × {_WINDOW} pixels in the middle of each crop."
    write(figure, _LEFT, 0.15, "\n".join(lines), color=MUTED, linespacing=1.4)


def _attack_left(number: int) -> float:
    return _LEFT + _TILE + _GROUP + number * (2 * _TILE + _GAP + _GROUP)
