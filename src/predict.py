"""Say of every face in a video or picture whether a trained detector calls it fake, and what that is worth."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from tqdm import tqdm

from deepfake.errors import CheckpointError, SettingsError
from deepfake.stage import run

if TYPE_CHECKING:  # torch and what stands on it take seconds to import: --help and a misspelt option must not wait
    import numpy as np
    from torch import nn

    from deepfake.params import ClipParams
    from deepfake.scoring.answers import FileAnswer
    from deepfake.scoring.detectors import Detector
    from deepfake.scoring.judging import Score

EXIT_STATUS = """exit status:
  0    every file has a face and a verdict (fake, real or inconclusive: the status does not say which)
  1    a model, the device or the output folder cannot be used; what was scored before that is told
  2    wrong usage
  3    no face was found in a file
  4    a file is unreadable: missing, damaged, neither video nor picture, or a folder that holds none
  130  interrupted
  141  whoever read the output, such as head, has closed it
Of several files the highest of 0, 3 and 4 counts; one bad file does not stop the rest.
docs/scoring.md explains verdicts, the keys of --json, and the limits."""
STATUS = {"no face": 3, "unreadable": 4}

RELEASE = Path(__file__).resolve().parents[1] / "models" / "release"
MOST_FRAMES, COURSE_FRAMES = 100, 64  # all are held in memory


def main(argv: Sequence[str] | None = None) -> int:
    args = _parse(argv)
    if args.out and os.path.realpath(args.out) in map(os.path.realpath, args.files):
        raise SettingsError(f"--out {args.out}: is to be scored itself; a folder of its own would be right")
    _make_folder(args.out)
    from deepfake.scoring.json_records import file_record, model_record, report_record
    from deepfake.scoring.people import spread
    from deepfake.scoring.telling import printable, tell, tell_models, tell_plan

    detectors = _open_detectors(args)
    judges = [detector.judge for detector in detectors]
    fitted = detectors[0].checkpoint.faces.eval_frames
    plan = spread(fitted, args.frames) if args.frames else fitted
    about = tell_models([(each.path, each.checkpoint.training) for each in detectors]) + tell_plan(plan, fitted)
    _say(args, about)
    status, records = 0, []
    try:
        for number, found in enumerate(_answers(args, detectors, plan), start=1):
            lines = list(tell(found, judges))
            path = args.out / f"{number:03d}_{_shortened(found.media.path.stem)}.png" if args.out else None
            drawn = _draw(found, detectors, lines + about, path) if path and found.people else None
            _say(args, [*lines, f"  picture: {printable(drawn)}"] if drawn else lines)
            records.append(file_record(found, judges, drawn))
            status = max(status, STATUS.get(found.outcome, 0))
    finally:  # what was found before an interruption or a full disk is not lost
        if args.json and records:
            models = [model_record(each.path, each.checkpoint.training, each.judge) for each in detectors]
            print(json.dumps(report_record(models, plan, fitted, records), indent=2, allow_nan=False))
    return status


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXIT_STATUS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=_path, metavar="FILE", help="video, picture, or folder of them")
    parser.add_argument(
        "--model", type=_path, default=RELEASE / "robust.pt", help="checkpoint (default: models/release/robust.pt)"
    )
    parser.add_argument(
        "--beside", type=_path, metavar="MODEL",
        help="a second checkpoint to compare with (default with --out: models/release/baseline.pt, if it is there)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    parser.add_argument("--out", type=_path, metavar="DIR", help="folder for one picture per file")
    parser.add_argument(
        "--frames", type=_frame_count, metavar="N",
        help=f"rest verdicts on about N frames spread over a video (1 to {MOST_FRAMES}), not on the checkpoint's",
    )  # fmt: skip
    return parser.parse_args(argv)


def _path(text: str) -> Path:
    if not text:  # such as an unset variable of a shell; it would be the current folder
        raise argparse.ArgumentTypeError("should be a path and not empty")
    return Path(text)


def _frame_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_FRAMES:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1 to {MOST_FRAMES}, not {text!r}")
    return int(text)


def _make_folder(folder: Path | None) -> None:
    """Before any model is loaded: what cannot be written should be known at once."""
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = "a file; a folder would be right" if isinstance(error, FileExistsError) else error.strerror
        raise SettingsError(f"--out {folder}: {reason}") from error


def _open_detectors(args: argparse.Namespace) -> list[Detector]:
    """The detector whose verdict counts, and the one beside it if there is one."""
    from deepfake.evaluation.prediction import score_crops
    from deepfake.runtime import open_device
    from deepfake.scoring.detectors import open_beside, open_detector

    def score_with(model: nn.Module) -> Score:
        return partial(score_crops, model, condition="clean")

    device = open_device()
    first = open_detector(args.model, device, score_with)
    baseline = RELEASE / "baseline.pt"
    if args.beside:
        return [first, open_beside(args.beside, first, device, score_with)]
    if args.out and args.model.resolve() != baseline and baseline.exists():
        try:
            return [first, open_beside(baseline, first, device, score_with)]
        except CheckpointError as error:  # nobody asked for it
            print(f"no second detector: {error}", file=sys.stderr)
    return [first]


def _answers(args: argparse.Namespace, detectors: Sequence[Detector], plan: ClipParams) -> Iterator[FileAnswer]:
    """The answer for every file, with a progress bar over files, or over the clips of a single one that takes long."""
    from deepfake.faces.mtcnn import FaceFinder
    from deepfake.runtime import open_device
    from deepfake.scoring.answers import answer
    from deepfake.scoring.files import find_media
    from deepfake.scoring.people import Search, spread

    checkpoint, (media, others) = detectors[0].checkpoint, find_media(args.files, but=args.out)
    if others:
        suffixes = ", ".join(sorted({path.suffix.lower() or "no suffix" for path in others}))
        print(f"note: {len(others)} files in folders are passed over ({suffixes})", file=sys.stderr)
    finder = FaceFinder(checkpoint.faces, open_device())
    bar = partial(tqdm, file=sys.stderr, dynamic_ncols=True)
    watch = partial(bar, desc="search", unit="clip", delay=2, leave=False) if len(media) == 1 else iter
    search = Search(finder, checkpoint.faces, checkpoint.crops, watch)
    course = spread(plan, COURSE_FRAMES) if args.out and not args.frames else None
    for each in bar(media, desc="predict", unit="file", disable=len(media) == 1):
        yield answer(each, search, [detector.judge for detector in detectors], plan, course=course)


def _draw(found: FileAnswer, detectors: Sequence[Detector], lines: Sequence[str], path: Path) -> str:
    """Write the picture of a file that has a face, and say where."""
    from deepfake.runtime import replacing
    from deepfake.scoring.sheet import Sheet, draw_sheet
    from deepfake.video.decoding import frames_per_second

    judges = [detector.judge for detector in detectors]
    relevance = {each.judge.name: partial(_relevance, each.model) for each in detectors}
    rate = frames_per_second(found.media.path) if found.media.kind == "video" else None
    with replacing(path) as temporary:
        temporary.write_bytes(draw_sheet(Sheet(found, judges, relevance, lines, rate)))
    return str(path)


def _shortened(name: str) -> str:
    """As much of a name as leaves room for what is put before and after it: file names are limited in bytes."""
    return os.fsencode(name)[:150].decode(errors="ignore")


def _relevance(model: nn.Module, crops: np.ndarray) -> np.ndarray:
    """Grad-CAM at the size of the crops (B, S, S)."""
    import numpy as np

    from deepfake.crops.batches import to_unit
    from deepfake.explain.gradcam import gradcam, upsample

    maps, _ = gradcam(model, to_unit(crops, next(model.parameters()).device))
    return np.stack([upsample(each, crops.shape[1]) for each in maps.cpu().numpy()])


def _say(args: argparse.Namespace, lines: Sequence[str]) -> None:
    if not args.json:
        with tqdm.external_write_mode(sys.stdout):  # leaves a progress bar whole
            print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(run(main, goes_on=False))
