from toy_detectors import UNET

from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.training.attacker import smooth_jpeg
from fit_attacker import EVALUATION, TRAINING, fitting


def test_evaluation_attacks_with_a_unet_that_is_fitted_longer_and_through_a_smoothed_jpeg() -> None:
    unet = UNET.model_copy(update={"epochs": 12, "opening_epochs": 6})
    assert fitting(unet, EVALUATION) == (unet, smooth_jpeg)
    opening, jpeg = fitting(unet, TRAINING)
    assert (opening, jpeg) == (unet.model_copy(update={"epochs": 6}), differentiable_jpeg)
