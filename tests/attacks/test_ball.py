"""The budget in floats and in grey levels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepfake.attacks.ball import project, to_uint8, uniform_noise


def test_projection_is_around_the_clean_crop_and_within_the_cube() -> None:
    x = torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1)
    assert project(x + 1, x, 0.1).flatten().tolist() == pytest.approx([0.1, 0.6, 1.0])
    assert project(x - 1, x, 0.1).flatten().tolist() == pytest.approx([0.0, 0.4, 0.9])
    assert torch.equal(project(x, x, 0.1), x)


def test_noise_of_a_row_is_a_function_of_its_seed() -> None:
    x = torch.zeros(3, 3, 8, 8)
    noise = uniform_noise(x, 0.1, [5, 6, 5])
    assert torch.equal(noise[0], noise[2])
    assert not torch.equal(noise[0], noise[1])
    assert noise.abs().max() <= 0.1
    assert noise.abs().max() > 0.09


@given(st.integers(0, 255), st.floats(-16, 16), st.integers(1, 16))
def test_rounding_goes_toward_the_clean_crop_so_that_the_ball_holds(level: int, moved: float, levels: int) -> None:
    x = torch.full((1, 3, 1, 1), level / 255)
    x_adv = project(x + moved / 255, x, levels / 255)
    rounded = int(to_uint8(x_adv, x)[0, 0, 0, 0])
    exact = float(x_adv[0, 0, 0, 0]) * 255
    assert abs(rounded - level) <= levels
    assert abs(rounded - level) <= abs(exact - level) + 2e-3
    assert abs(rounded - exact) < 1.001


def test_a_full_budget_stays_a_full_budget() -> None:
    x = torch.arange(20, 236).float().div(255).view(1, 1, 12, 18).expand(1, 3, 12, 18)
    for levels in (1, 2, 4, 8):
        change = to_uint8(x + levels / 255, x).astype(int) - np.rint(255 * x.permute(0, 2, 3, 1).numpy()).astype(int)
        assert (change == levels).all()
