"""Which faces are too poor for an answer."""

import cv2
import numpy as np
import pytest
from scoring.made_up import person, portrait

from deepfake.params import ClipParams, CropsParams, FacesParams
from deepfake.scoring.people import Person
from deepfake.scoring.quality import MAX_UPSCALE, doubts, sharpness

CLIP = ClipParams(clips=1, length=4)
FACES = FacesParams(train_frames=CLIP, eval_frames=CLIP, max_side=480, min_face=40, min_probability=0.9)
CROPS = CropsParams(size=64, margin=1.3, shards=1)


def doubted(someone: Person, *, scale: float = 1.0, turn: int = 0) -> list[str]:
    return [reason.split(":")[0] for reason in doubts(someone, scale=scale, turn=turn, faces=FACES, crops=CROPS)]


def test_a_large_sharp_colourful_face_that_is_always_found_is_not_doubted() -> None:
    assert doubted(person()) == []


@pytest.mark.parametrize(
    ("side", "scale", "tiny"),
    [
        (64 / 1.3 / MAX_UPSCALE - 0.1, 0.5, True),  # enlarged too much, though large where faces are searched
        (64 / 1.3 / MAX_UPSCALE + 0.1, 0.5, False),
        (79, 2.0, True),  # 39.5 px where faces of 40 are searched
        (81, 2.0, False),
    ],
)
def test_a_face_is_tiny_if_its_crop_is_enlarged_too_much_or_it_is_below_what_is_searched(
    side: float, scale: float, tiny: bool
) -> None:
    assert doubted(person(side=side), scale=scale) == ["tiny"] * tiny


def test_a_turned_face_is_doubted() -> None:
    assert doubted(person(), turn=180) == ["turned"]


def test_a_blurred_face_is_doubted() -> None:
    blurred = [cv2.GaussianBlur(portrait(seed), (0, 0), 3) for seed in range(4)]
    assert doubted(person(crops=blurred)) == ["blurred"]


def test_a_face_without_colour_is_doubted() -> None:
    grey = [cv2.cvtColor(cv2.cvtColor(portrait(seed), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for seed in range(4)]
    assert doubted(person(crops=grey)) == ["without colour"]


def test_a_face_that_was_found_in_less_than_half_of_its_frames_is_doubted() -> None:
    assert doubted(person(found=1)) == ["fleeting"]
    assert doubted(person(found=2)) == []


def test_sharpness_falls_with_blur_and_does_not_depend_on_light() -> None:
    crop = portrait()
    by_blur = [sharpness(cv2.GaussianBlur(crop, (0, 0), sigma)) for sigma in (0.5, 1, 2)]
    assert by_blur == sorted(by_blur, reverse=True)
    assert sharpness(crop // 2) == pytest.approx(sharpness(crop), rel=0.02)
    assert sharpness(np.full((64, 64, 3), 90, np.uint8)) == 0
