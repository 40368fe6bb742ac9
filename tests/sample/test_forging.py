"""One target, one source, every method: what a forgery may touch, and what it must change."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from deepfake.sample.camera import Camera
from deepfake.sample.forging import MASK_FROM, Forgery, forge
from deepfake.sample.identities import draw_identity
from deepfake.sample.lighting import draw_light
from deepfake.sample.recipes import CELEB_METHOD, FFPP_METHODS, draw_recipe
from deepfake.sample.scene import Scene, Take, film
from deepfake.sample.screen import Screen

SCREEN = Screen(320, 240)
METHODS = (*FFPP_METHODS, CELEB_METHOD)


def _take(seed: int, light: str) -> Take:
    identity = draw_identity(seed, "III-IV", "short")
    camera = Camera(noise="low", blur=0.6, contrast=1.0, crf=18, preset="veryfast")
    return film(Scene(seed, identity, draw_light(seed, light), "wall", camera), SCREEN, 3)


@pytest.fixture(scope="module")
def takes() -> tuple[Take, Take]:
    return _take(1, "frontal"), _take(2, "side")


@pytest.fixture(scope="module")
def forgeries(takes: tuple[Take, Take]) -> dict[str, Forgery]:
    return {method: forge(*takes, draw_recipe(method, 5), 5) for method in METHODS}


@pytest.mark.parametrize("method", METHODS)
def test_a_forgery_leaves_every_pixel_far_from_its_mask_untouched(
    method: str, takes: tuple[Take, Take], forgeries: dict[str, Forgery]
) -> None:
    forgery = forgeries[method]
    for forged, original, mask in zip(forgery.frames, takes[0].frames, forgery.masks, strict=True):
        rows, columns = np.where(mask)
        outside = np.ones(mask.shape, dtype=bool)
        outside[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = False
        np.testing.assert_array_equal(forged[outside], original[outside])
        # Between the mask's edge and nothing the forgery weighs less than MASK_FROM.
        assert np.abs(forged.astype(int) - original)[~mask].max() <= MASK_FROM * 255


@pytest.mark.parametrize("method", METHODS)
def test_a_forgery_changes_most_of_its_mask_by_more_than_an_attacker_may(
    method: str, forgeries: dict[str, Forgery]
) -> None:
    assert forgeries[method].undo[-1] < 0.7


def test_undo_shares_are_the_pixels_of_the_mask_within_each_budget(
    takes: tuple[Take, Take], forgeries: dict[str, Forgery]
) -> None:
    forgery = forgeries["FaceSwap"]
    within = total = 0
    for forged, original, mask in zip(forgery.frames, takes[0].frames, forgery.masks, strict=True):
        distance = np.abs(forged.astype(int) - original.astype(int)).max(axis=-1)
        within, total = within + int((distance[mask] <= 4).sum()), total + int(mask.sum())
    assert forgery.undo[2] == pytest.approx(within / total, abs=1e-4)


def test_a_neural_texture_touches_the_mouth_only_and_a_swap_the_whole_face(forgeries: dict[str, Forgery]) -> None:
    mouth, face = forgeries["NeuralTextures"].masks[0], forgeries["FaceSwap"].masks[0]
    assert np.where(mouth)[0].min() > np.where(face)[0].mean()
    assert mouth.sum() < 0.5 * face.sum()


def test_a_swap_with_oneself_without_errors_undoes_itself(takes: tuple[Take, Take]) -> None:
    recipe = replace(
        draw_recipe("FaceSwap", 5), fringe=0.0, detail=1.0, match=1.0, tint=(1.0, 1.0, 1.0), contrast=1.0,
        saturation=1.0, slope=(0.0, 0.0), shift=(0.0, 0.0), scale=1.0, roll=0.0, jitter=0.0, flicker=0.0,
    )  # fmt: skip
    exact = forge(takes[0], takes[0], recipe, 5)
    shifted = forge(takes[0], takes[0], replace(recipe, shift=(0.08, 0.08)), 5)
    assert exact.undo[-1] > 0.75  # the rest is the lens's blur along lids, lips and brows
    assert shifted.undo[-1] < exact.undo[-1] - 0.2


def test_strengths_range_from_hard_to_crude() -> None:
    details = sorted(draw_recipe("Deepfakes", seed).detail for seed in range(200))
    assert details[0] < 0.10 < 0.17 < details[-1]
    assert max(b - a for a, b in pairwise(details)) < 0.01
