"""What the tests of attacks share: detectors trained once."""

from collections.abc import Sequence

import pytest
from torch import Tensor
from toy_detectors import Linear, Small, draw_crops, fit_unet, train_small

from deepfake.attacks.unet import PerturbationUNet


@pytest.fixture(scope="session")
def linear() -> Linear:
    return Linear().eval()


@pytest.fixture(scope="session")
def trained() -> Small:
    return train_small()


@pytest.fixture(scope="session")
def unet_against_trained(trained: Small) -> PerturbationUNet:
    return fit_unet(trained)


@pytest.fixture
def crops() -> tuple[Tensor, Tensor, Sequence[int]]:
    """Crops, labels, and seeds of their noise."""
    x, y = draw_crops(24, seed=7)
    return x, y, list(range(100, 124))
