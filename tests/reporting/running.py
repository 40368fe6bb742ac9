"""The report stage, run on made-up inputs."""

from pathlib import Path

import pytest
import yaml

import report

ROOT = Path(__file__).resolve().parents[2]


def run_report(folder: Path, scores: Path, inputs: Path, *, cross: bool = True, root: str = "") -> Path:
    """Run the stage in `folder` with few resamples and give the folder back."""
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings["report"]["resamples"] = 100
    if root:
        settings["datasets"]["train"]["root"] = root
    if not cross:
        del settings["datasets"]["cross"]
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    read = [f"--scores={scores}", *(f"--{name}={inputs / name}" for name in ("models", "explain", "gradcam"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        report.main([*read, f"--curves={inputs / 'training'}", "--metrics=metrics", "--plots=plots", "--card=card.md"])
    return folder
