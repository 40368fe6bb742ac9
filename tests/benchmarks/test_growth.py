from math import isnan
from pathlib import Path

import growth
import numpy as np
import pytest
from growth import DECODED, EXTRACTED, SCORED, SIDE, STEPS, Point, one_more
from growth_estimate import TESTED, Machine, estimate, evaluation_units
from toy_project import REPOSITORY, write_toy_params

from deepfake.params import Params, load_params
from deepfake.tables import read_rows
from deepfake.video.encoding import write_h264


@pytest.fixture
def params() -> Params:
    return load_params(REPOSITORY / "params.yaml")


def test_one_more_costs_the_slope_and_no_fixed_costs() -> None:
    points = [Point("a", 2, 5.0, 0, 0), Point("b", 1, 9.0, 0, 0), Point("a", 4, 5.5, 0, 0), Point("a", 8, 8.0, 0, 0)]
    assert one_more(points, "a") == 0.5


def test_twice_the_gpu_and_twice_the_cores_take_half_the_hours(params: Params) -> None:
    _, slow, _ = estimate(params, Machine(decoding=36, cores=8, images_per_second=100), extraction=30)
    _, fast, _ = estimate(params, Machine(decoding=36, cores=16, images_per_second=200), extraction=30)
    for (stage, _, before, _), (_, _, after, _) in zip(slow, fast, strict=True):
        assert float(after) == pytest.approx(float(before) / 2, abs=0.01), stage
    assert float(slow[0][2]) == pytest.approx((5000 + sum(TESTED["Celeb-DF v2"])) * 36 / 8 / 3600, abs=0.01)


def test_more_attacks_are_more_passes_and_an_attacked_fake_costs_more_than_a_real(params: Params) -> None:
    thorough = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"profile": "thorough"})})
    (real, fake), (real_thorough, fake_thorough) = evaluation_units(params), evaluation_units(thorough)
    assert real < fake < fake_thorough
    assert real == real_thorough, "what goes on after PGD looks at fakes only"
    attack, quick = params.attack, params.evaluate.quick
    assert fake > 2 * (attack.steps + quick.apgd_steps + 2 * quick.adaptive_steps)


def test_a_further_codec_costs_its_adaptive_steps_and_no_pgd(params: Params) -> None:
    more = params.model_copy(
        update={"evaluate": params.evaluate.model_copy(update={"attacked_jpeg_quality": [50, 30]})}
    )
    further = evaluation_units(more)[1] - evaluation_units(params)[1]
    steps = params.evaluate.quick.adaptive_steps
    assert 2 * steps < further < 2 * (steps + params.attack.steps / 2)


def test_at_small_size_every_axis_grows_and_the_full_data_sets_are_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_toy_params(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPFAKE_DEVICE", "cpu")
    for level in (40, 200):
        write_h264(tmp_path / f"{level}.mp4", [np.full((64, 96, 3), level, np.uint8)] * 40, crf=30)
    growth.main(["--videos", "40.mp4", "200.mp4", "--crops", "8", "--sides", "32", "--steps", "1", "2", "--batch", "2",
                 "--rounds", "1", "--out", "growth"])  # fmt: skip
    points = read_rows(tmp_path / "growth.csv", Point)
    assert [(point.axis, point.size) for point in points] == [
        (EXTRACTED, 1), (EXTRACTED, 2), (DECODED, 1), (DECODED, 2), (SCORED, 8), (SIDE, 32), (STEPS, 1), (STEPS, 2),
    ]  # fmt: skip
    assert [isnan(point.growth) for point in points] == [True, False, True, False, True, True, True, False]
    assert all(point.seconds > 0 and point.peak > 50 for point in points)
    text = (tmp_path / "growth_full_scale.md").read_text()
    assert "| train_robust@robust |" in text
    assert "RTX 3090" in text
