"""params.yaml as users and DVC write it: what is accepted, and the one line for what is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import assert_one_line
from hypothesis import given
from hypothesis import strategies as st

from deepfake.errors import SettingsError
from deepfake.params import Params, check_params, load_params

DEFAULT = Path(__file__).parents[1] / "params.yaml"


def write(folder: Path, change: Callable[[Any], object]) -> Path:
    values = yaml.safe_load(DEFAULT.read_text())
    change(values)
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_the_default_file_is_valid_and_sets_every_required_key() -> None:
    assert isinstance(load_params(DEFAULT), Params)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["crops"].update(size="banana"), "crops.size: .*integer.*, not 'banana'"),
        (lambda v: v["crops"].update(size=81), "crops.size: .*multiple of 2, not 81"),
        (lambda v: v["crops"].update(size=8), "crops.size: .*greater than or equal to 32, not 8"),
        (lambda v: v["crops"].update(sizes=80), "crops.sizes: no such key; known here: size, margin, shards"),
        (lambda v: v.update(extra=1), "extra: no such key; known here: seed, datasets"),
        (lambda v: v.pop("seed"), "seed: missing"),
        (lambda v: v["datasets"]["train"].update(layout="imagenet"), "datasets.train.layout: .*'ffpp', 'celebdf'"),
        (lambda v: v["datasets"]["train"].update(methods=["../up"]), "datasets.train.methods.0"),
        (lambda v: v["baseline"]["augment"].update(jpeg_quality=[90, 40]), "jpeg_quality must ascend, and 90 > 40"),
        (lambda v: v["detector"].update(dim=100), "dim must be a multiple of heads"),
        (lambda v: v["detector"].update(pretrained=True, weights="w.pth"), "exclude each other"),
        (lambda v: v["baseline"].update(learning_rate=float("nan")), "baseline.learning_rate"),
    ],
)
def test_a_bad_value_gets_one_line_that_names_key_and_remedy(
    tmp_path: Path, change: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        load_params(write(tmp_path, change))
    assert "\n" not in str(caught.value)


def test_a_number_that_yaml_reads_as_text_is_accepted(tmp_path: Path) -> None:
    """DVC writes -S baseline.learning_rate=0.00001 as 1e-05, which PyYAML reads as a string."""
    path = write(tmp_path, lambda v: v["baseline"].update(learning_rate="1e-05"))
    assert load_params(path).baseline.learning_rate == 1e-5


def test_cross_may_be_left_out(tmp_path: Path) -> None:
    assert load_params(write(tmp_path, lambda v: v["datasets"].pop("cross"))).datasets.cross is None


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "\x00", "seed: 1\nseed"], ids=repr)
def test_a_file_that_is_no_parameter_file_gets_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"params\.yaml: ") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


def test_a_dataset_that_was_left_out_is_one_line(tmp_path: Path) -> None:
    datasets = load_params(write(tmp_path, lambda values: values["datasets"].pop("cross"))).datasets
    assert datasets.of("train") == datasets.train
    with pytest.raises(SettingsError, match=r"^datasets\.cross: missing"):
        datasets.of("cross")


def test_a_missing_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="run from the root of the repository"):
        load_params(tmp_path / "params.yaml")


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2))


@given(section=st.sampled_from(["faces", "crops", "detector", "baseline", "evaluate", "report"]), data=st.data())
def test_no_value_causes_anything_but_one_line(section: str, data: st.DataObject) -> None:
    values = yaml.safe_load(DEFAULT.read_text())
    key = data.draw(st.sampled_from(sorted(values[section])))
    values[section][key] = data.draw(VALUES)
    assert_one_line(lambda: check_params(values, "params.yaml"), "params.yaml")
