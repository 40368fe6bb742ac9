"""Not a stage: check all that a run on the real data needs, then hand it over to `dvc exp run`.

A folder without videos, a misspelt setting or weights that cannot be fetched are told at once, and not after hours
of extraction. What is not known here (`--queue`, `--temp`, `--name my-run`) goes to `dvc exp run`.
"""

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc.exceptions import InvalidArgumentError  # type: ignore[import-untyped]
from dvc.utils.hydra import apply_overrides  # type: ignore[import-untyped]

from deepfake.datasets import find_videos
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import SettingsError
from deepfake.params import Params, load_params
from deepfake.records import FAKE, VideoRecord
from deepfake.runtime import open_device
from deepfake.stage import run

LAST_STAGE = "report"  # with all that it needs; the sample is not part of it
COPIES = 3  # of every crop while it runs: data/crops, DVC's cache, .work


def main(argv: Sequence[str] | None = None) -> None:
    args, further = _parse(argv)
    settings = [*read_settings(args.settings), *_settings_of(args), *args.set_param]
    params = check_settings(settings)
    videos = [video for role in ("train", "cross") for video in _find(params, role)]
    _say_what_it_takes(params, videos)
    HybridDetector(params.detector)  # fetches or reads the pretrained weights
    options = [word for setting in settings for word in ("-S", setting)]
    command = ["dvc", "exp", "run", *further, *options, *(args.until or [LAST_STAGE])]
    print(shlex.join(command), flush=True)
    if not args.check:
        os.execvp(command[0], command)


def read_settings(path: Path) -> list[str]:
    """Settings of a file, one `key=value` to a line; what follows a # is a comment.

    Raises:
        SettingsError: there is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; run from the root of the repository") from error
    stripped = (line.partition("#")[0].strip() for line in lines)
    return [line for line in stripped if line]


def check_settings(settings: Sequence[str], path: Path = Path("params.yaml")) -> Params:
    """What params.yaml would say with `settings`, in the language of `dvc exp run --set-param`.

    Raises:
        SettingsError: one line for the first fault: the key, its value and what would be right.
    """
    with TemporaryDirectory() as folder:
        changed = Path(folder) / path.name
        shutil.copyfile(path, changed)
        try:
            apply_overrides(changed, list(settings))
        except InvalidArgumentError as error:
            raise SettingsError(f"a setting that DVC cannot read: {' '.join(str(error.__cause__).split())}") from error
        try:
            return load_params(changed)
        except SettingsError as error:
            raise SettingsError(str(error).removeprefix(f"{changed}: ")) from error


def _parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--ffpp", required=True, type=Path, help="folder of FaceForensics++")
    parser.add_argument("--celebdf", required=True, type=Path, help="folder of Celeb-DF v2")
    parser.add_argument("--weights", type=Path, help="file with ImageNet weights, where there is no network")
    parser.add_argument("-S", "--set-param", action="append", default=[], help="one more setting; the last one counts")
    parser.add_argument("--settings", type=Path, default=Path("src/full_scale.txt"), help="file of settings")
    parser.add_argument("--until", action="append", metavar="STAGE", help=f"last stage to run (default: {LAST_STAGE})")
    parser.add_argument("--check", action="store_true", help="only check, and print the command")
    return parser.parse_known_args(argv)


def _settings_of(args: argparse.Namespace) -> Iterator[str]:
    yield f"datasets.train.root={_quoted(args.ffpp)}"
    yield f"datasets.cross.root={_quoted(args.celebdf)}"
    if args.weights:
        yield "detector.pretrained=false"
        yield f"detector.weights={_quoted(args.weights)}"


def _quoted(path: Path) -> str:
    """An absolute path, as runs in another folder (`--temp`) need it, safe from the grammar of settings."""
    return "'{}'".format(str(path.absolute()).replace("'", "\\'"))


def _find(params: Params, role: str) -> list[VideoRecord]:
    if role == "cross" and params.datasets.cross is None:
        return []
    dataset = params.datasets.of(role)
    videos = find_videos(dataset, role=role)
    fakes = sum(video.label == FAKE for video in videos)
    print(f"{dataset.root}: {len(videos) - fakes} real and {fakes} fake videos")
    return videos


def _say_what_it_takes(params: Params, videos: Sequence[VideoRecord]) -> None:
    faces = params.faces
    clips = [faces.train_frames if video.split == "train" else faces.eval_frames for video in videos]
    crops = sum(frames.clips * frames.length for frames in clips)
    size = crops * 3 * params.crops.size**2 / 1e9
    free = shutil.disk_usage(".").free / 1e9
    print(f"{crops} crops of {params.crops.size} pixels: {size:.1f} GB, up to {COPIES * size:.1f} GB while it runs; "
          f"{free:.1f} GB are free")  # fmt: skip
    if COPIES * size > free:
        print("note: that may not be enough; see docs/full_scale.md", file=sys.stderr)
    if open_device().type == "cpu":
        print("note: there is no GPU here; see docs/full_scale.md for how long it takes without", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(main))
