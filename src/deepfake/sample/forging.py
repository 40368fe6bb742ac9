"""Forgeries: a face is made, laid over the frames of a filmed target inside a mask, and blended in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.expression import express
from deepfake.sample.head import Head, paint_head
from deepfake.sample.identities import Shape
from deepfake.sample.plane import LEFT, TOP, UNIT, plane, smoothstep
from deepfake.sample.recipes import Recipe
from deepfake.sample.scene import Take
from deepfake.sample.screen import View

MASK_FROM = 0.1  # a pixel belongs to the mask where the forgery weighs at least this much
UNDO_STEPS = (1, 2, 4, 8)  # budgets in steps of 1/255


class ForgedFrame(NamedTuple):
    """One frame of a forgery: uint8 RGB (H, W, 3), and its mask (H, W), True inside."""

    frame: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Forgery:
    """A forged video, frame by frame, and which share of its mask lies within each of UNDO_STEPS of the target."""

    frames: list[np.ndarray]
    masks: list[np.ndarray]
    undo: tuple[float, ...]


def forge(target: Take, source: Take, recipe: Recipe, seed: int) -> Forgery:
    """Forge a target's video with a source.

    Args:
        target: whose video it is; its frames stay untouched outside the mask.
        source: who lends the face (a swap) or the expression.
        recipe: how.
        seed: of trembling and flicker.
    """
    forged = list(_forge_frames(target, source, recipe, seed))
    frames, masks = [item.frame for item in forged], [item.mask for item in forged]
    return Forgery(frames, masks, _undo_shares(frames, target.frames, masks))


def _forge_frames(target: Take, source: Take, recipe: Recipe, seed: int) -> Iterator[ForgedFrame]:
    rng = np.random.default_rng(derive_seed(seed, "tremble"))
    donor = _donor(target, source, recipe)
    weight = _mask(target.head.identity.shape, recipe)
    expressions = target.expressions if recipe.swap else source.expressions
    for number, (view, pose) in enumerate(zip(target.views, target.poses, strict=True)):
        picture = express(donor, donor.turned(pose.yaw, pose.pitch), expressions[number])
        tremble = rng.normal(0, recipe.jitter, size=2)
        places = _misplace(view, target.head.identity.shape, donor.identity.shape, recipe, tremble)
        made = places.show(_coarsen(picture, recipe.detail))
        alpha = view.show(weight)
        flicker = 1 + recipe.flicker * float(rng.standard_normal())
        red, green, blue = recipe.tint
        fitted = replace(recipe, tint=(red * flicker, green * flicker, blue * flicker))
        yield _lay_over(target.frames[number], view, made, alpha, fitted)


def _donor(target: Take, source: Take, recipe: Recipe) -> Head:
    """The head that lends its face."""
    head = source.head if recipe.swap else target.head
    if recipe.own_light:
        return head
    right, down, forward = target.scene.light.direction
    light = replace(
        target.scene.light, direction=(right + recipe.light_error[0], down + recipe.light_error[1], forward)
    )
    return paint_head(head.identity, light)


def _mask(shape: Shape, recipe: Recipe) -> np.ndarray:
    """Weight (H, W) of the forgery in the target's plane: 1 inside, 0 outside, soft along the edge."""
    u, v = plane()
    if recipe.region == "mouth":
        top, bottom = (shape.nose_length + shape.mouth_height) / 2 - 0.10, shape.chin - 0.20
        side = shape.mouth_width + 0.24
    else:
        top, bottom, side = -0.44, shape.chin - 0.22, 0.68 * shape.width
    middle, reach = (top + bottom) / 2, (bottom - top) / 2
    radius = (np.abs(u / side) ** 2.6 + np.abs((v - middle) / reach) ** 2.6) ** (1 / 2.6)
    return smoothstep(1.0, 1.0 - 2 * recipe.edge / (side + reach) * 1.4, radius).astype(np.float32)


def _misplace(view: View, target: Shape, donor: Shape, recipe: Recipe, tremble: np.ndarray) -> View:
    """Where the donor's face is seen: its eyes and mouth on the target's, but for the recipe's errors."""
    u, v = (view.columns + 0.5) / UNIT + LEFT, (view.rows + 0.5) / UNIT + TOP
    cosine, sine = np.cos(recipe.roll) / recipe.scale, np.sin(recipe.roll) / recipe.scale
    u, v = u - recipe.shift[0] - tremble[0], v - recipe.shift[1] - tremble[1] - 0.4
    u, v = cosine * u - sine * v, sine * u + cosine * v + 0.4
    u = u * (donor.eye_distance / target.eye_distance)
    v = v * (donor.mouth_height / target.mouth_height)
    return View(view.area, ((u - LEFT) * UNIT - 0.5).astype(np.float32), ((v - TOP) * UNIT - 0.5).astype(np.float32))


def _coarsen(picture: np.ndarray, detail: float) -> np.ndarray:
    """The picture at a share of its resolution, scaled up again."""
    if detail >= 0.95:
        return picture
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (round(width * detail), round(height * detail)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _lay_over(frame: np.ndarray, view: View, made: np.ndarray, alpha: np.ndarray, recipe: Recipe) -> ForgedFrame:
    below = frame[view.area].astype(np.float32) / 255
    fitted = _fit_colors(made, below, alpha, view, recipe)
    result = frame.copy()
    seam = 1 - recipe.fringe * 4 * alpha * (1 - alpha)
    mixed = (below + (fitted - below) * alpha[..., None]) * seam[..., None]
    result[view.area] = np.clip(mixed * 255 + 0.5, 0, 255).astype(np.uint8)
    mask = np.zeros(frame.shape[:2], dtype=bool)
    mask[view.area] = alpha >= MASK_FROM
    return ForgedFrame(result, mask)


def _fit_colors(made: np.ndarray, below: np.ndarray, alpha: np.ndarray, view: View, recipe: Recipe) -> np.ndarray:
    """The made face in the target's colours, as far and as wrongly as the recipe says."""
    inside = (alpha >= 0.5).astype(np.uint8)
    means = np.array([cv2.mean(picture, inside)[:3] for picture in (below, made)], dtype=np.float32)
    grey = made.mean(axis=-1, keepdims=True)
    fitted = grey + (made - grey) * np.float32(recipe.saturation)
    fitted = means[1] + (fitted - means[1]) * np.float32(recipe.contrast)
    fitted = fitted + np.float32(recipe.match) * (means[0] - means[1])
    fitted = fitted * np.asarray(recipe.tint, dtype=np.float32)
    u, v = (view.columns + 0.5) / UNIT + LEFT, (view.rows + 0.5) / UNIT + TOP
    return fitted + (recipe.slope[0] * u + recipe.slope[1] * (v - 0.4))[..., None]


def _undo_shares(forged: list[np.ndarray], originals: list[np.ndarray], masks: list[np.ndarray]) -> tuple[float, ...]:
    distance = np.concatenate(
        [cv2.absdiff(fake, real).max(axis=-1)[mask] for fake, real, mask in zip(forged, originals, masks, strict=True)]
    )
    return tuple(round(float((distance <= step).mean()), 4) if distance.size else 0.0 for step in UNDO_STEPS)
