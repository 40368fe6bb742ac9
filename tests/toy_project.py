"""A copy of this repository with everything small, for tests that run real DVC."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
RESULTS = ("dvc.lock", "data", "models", "metrics", "plots")

TOY: dict[str, Any] = {
    "sample": {"train_identities": 4, "val_identities": 4, "test_identities": 4, "cross_identities": 2,
               "cross_youtube": 1, "frames": 8, "width": 320, "height": 240},
    "faces": {"train_frames": {"clips": 2, "length": 1}, "eval_frames": {"clips": 1, "length": 4},
              "max_side": 320, "min_face": 40, "min_probability": 0.9},
    "crops": {"size": 32, "margin": 1.3, "shards": 2},
    "detector": {"backbone": "efficientnet_lite0", "stride": 8, "dim": 16, "depth": 1, "heads": 2, "dropout": 0.0,
                 "pretrained": False, "weights": None},
    "baseline": {"epochs": 2, "steps": 3, "batch_size": 4},
    "faceless": {"epochs": 1},
    "attack": {"steps": 2},
    "unet": {"width": 4, "epochs": 2, "opening_epochs": 1, "steps": 3, "batch_size": 4},
    "robust": {"epochs": 2, "steps": 4, "replays": 2, "batch_size": 4, "pgd_steps": 1, "final_pgd_steps": 2,
               "watch_frames": 4, "watch_steps": 2},
    "evaluate": {"batch_size": 16, "jpeg_quality": [50], "h264_crf": [23], "eps_curve": ["1/255", "8/255"],
                 "sanity_frames": 2, "quick": {"apgd_steps": 2, "adaptive_steps": 2},
                 "thorough": {"apgd_steps": 2, "pgd_steps": 2, "square_queries": 2, "adaptive_steps": 2, "videos": 2}},
    "gradcam": {"faces": 1, "measured": 2},
    "report": {"resamples": 100},
}  # fmt: skip


@dataclass(frozen=True)
class Project:
    """A repository of its own, with DVC and the scripts at hand."""

    root: Path

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository; its exit status is the caller's business."""
        env = _environment(**environment)
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own; what it prints is one stream."""
        output: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True}
        return subprocess.Popen(command, cwd=self.root, env=_environment(), **output)

    def succeed(self, *command: str) -> str:
        """Run a command that must succeed, and give what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def copy(self, root: Path) -> "Project":
        """An independent copy, results and DVC cache included."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)


def _environment(**changes: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "CI": "true", **changes}


def run_toy(root: Path) -> Project:
    """Copy the repository to `root`, make everything small, run `dvc repro` there and commit the results."""
    project = Project(root)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if Path(name).parts[0] not in RESULTS and (REPOSITORY / name).is_file():
            (project.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, project.root / name)
    write_toy_params(root)
    project.succeed("git", "init", "--quiet")
    project.succeed("git", "config", "user.name", "Test")
    project.succeed("git", "config", "user.email", "test@example.org")
    commit(project, "Start")
    project.succeed("dvc", "repro")
    commit(project, "Run the toy pipeline")
    return project


def write_toy_params(folder: Path) -> None:
    """Write the parameters of the toy project to `folder`, for tests that need these and not its results."""
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(_merged(params, TOY), sort_keys=False))


def commit(project: Project, message: str) -> None:
    """Commit everything that git does not ignore."""
    project.succeed("git", "add", "--all")
    project.succeed("git", "commit", "--quiet", "--message", message)


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**base}
    for key, value in change.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merged(base[key], value) if nested else value
    return merged
