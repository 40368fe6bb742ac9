"""The settings of `make full`: right by the schema, and run on official trees as far as they can be made small."""

import shutil
from pathlib import Path

import pytest
import timm
from safetensors.torch import save_file
from toy_project import REPOSITORY, Project

from deepfake.crops.shards import open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.errors import DeepfakeError
from deepfake.records import FaceVideo
from deepfake.tables import read_rows
from full_scale import main

SMALL = {
    "baseline.epochs": 1, "baseline.steps": 1, "baseline.batch_size": 4, "baseline.warmup": 0.5,
    "crops.shards": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file such as timm's ImageNet weights come in."""
    path = tmp_path_factory.mktemp("weights") / "efficientnet_b0.safetensors"
    save_file(timm.create_model("efficientnet_b0").state_dict(), path)
    return path


def trees(toy: Project) -> list[str]:
    """Options that name the toy project's trees."""
    return ["--ffpp", str(toy.root / "data/raw/sample/ffpp"), "--celebdf", str(toy.root / "data/raw/sample/celebdf")]


def test_the_settings_fit_the_schema_and_the_command_is_shown(
    toy: Project, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    main([*trees(toy), "--weights", str(weights), "--check", "--queue"])
    command = capsys.readouterr().out.splitlines()[-1]
    assert command.startswith("dvc exp run --queue -S faces.train_frames.clips=32 ")
    assert command.endswith(" report")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--weights", "nowhere.pth"], "detector.weights: "),
        (["-S", "crops.sise=64"], "a setting that DVC cannot read: Could not override 'crops.sise'"),
        (["-S", "crops.size=63"], "crops.size: should be a multiple of 2, not 63"),
        (["--celebdf", "/nowhere"], "/nowhere: no such folder"),
    ],
)
def test_what_would_fail_after_hours_fails_before(
    toy: Project, arguments: list[str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(DeepfakeError) as caught:
        main([*trees(toy), *arguments])
    assert str(caught.value).startswith(line)


def test_without_a_network_the_missing_weights_are_one_line_before_anything_is_run(toy: Project) -> None:
    done = toy.run("python", "src/full_scale.py", *trees(toy), HF_HUB_OFFLINE="1", HF_HOME=str(toy.root / "nothing"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: detector.pretrained: timm's weights for ")
    assert "detector.weights to a local file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_way_from_official_trees_to_a_detector_at_full_size(toy: Project, weights: Path, tmp_path: Path) -> None:
    """Everything as `make full` sets it, but how long is trained, with how many crops, and in how many files."""
    project = toy.copy(tmp_path / "project")
    outside = shutil.copytree(toy.root / "data/raw/sample", tmp_path / "real data")
    settings = [word for key, value in SMALL.items() for word in ("-S", f"{key}={value}")]
    project.succeed(
        "python", "src/full_scale.py", "--ffpp", str(outside / "ffpp"), "--celebdf", str(outside / "celebdf"),
        "--weights", str(weights), "--until", "cache_crops@cross", "--until", "train_baseline", *settings,
    )  # fmt: skip
    for role in ("train", "cross"):
        crops = open_crops(project.root / "data/crops" / role)
        assert {pixels.shape[1:] for pixels in crops.shards.values()} == {(224, 224, 3)}
        videos = read_rows(project.root / "data/faces" / role / "videos.csv", FaceVideo)
        assert {video.frames_wanted for video in videos} == {8}, "all that a toy video has of the 32"
    checkpoint = load_checkpoint(project.root / "models/baseline.pt")
    assert checkpoint.detector.weights == str(weights)
    assert checkpoint.crops.size == 224
