"""How a face is judged."""

import math

import numpy as np
import pytest
from scoring.made_up import CALIBRATION, judge, person

from deepfake.corruptions.h264 import h264
from deepfake.corruptions.jpeg import jpeg
from deepfake.errors import CheckpointError


def brightness(crop: np.ndarray) -> float:
    return float(crop.mean()) / 50


def test_an_opinion_is_the_mean_logit_and_its_calibrated_probability() -> None:
    someone = person()
    clean = judge(brightness).opinion(someone, "video").clean
    mean = np.mean([brightness(crop) for crop in someone.crops])
    assert clean.logit == pytest.approx(mean)
    assert clean.probability == pytest.approx(1 / (1 + math.exp(-mean / CALIBRATION.temperature)))


@pytest.mark.parametrize(("logit", "video", "picture"), [(0.999, False, False), (1.0, True, False), (2.0, True, True)])
def test_a_video_is_called_fake_from_the_video_threshold_on_and_a_picture_from_the_frame_threshold(
    logit: float, video: bool, picture: bool
) -> None:
    steady = judge(lambda _: logit)
    assert steady.opinion(person(), "video").clean.fake == video
    assert steady.opinion(person(), "image").clean.fake == picture


def test_recompression_is_the_real_codec_clip_by_clip() -> None:
    someone = person(clips=2, found=8)
    after = judge(brightness).opinion(someone, "video").compressed
    as_jpeg = [jpeg(crop, quality=50) for crop in someone.crops]
    as_h264 = [crop for first in (0, 4) for crop in h264(list(someone.crops[first : first + 4]), crf=23)]
    assert after["jpeg50"].logit == pytest.approx(np.mean([brightness(crop) for crop in as_jpeg]))
    assert after["h264_crf23"].logit == pytest.approx(np.mean([brightness(crop) for crop in as_h264]))


def test_a_picture_is_not_said_to_have_been_through_a_video_codec() -> None:
    assert list(judge(brightness).opinion(person(), "image").compressed) == ["jpeg50"]


def test_a_score_that_is_not_finite_is_an_error_and_no_answer() -> None:
    with pytest.raises(CheckpointError, match="robust: gives a score that is not finite"):
        judge(lambda _: math.nan).opinion(person(), "video")
