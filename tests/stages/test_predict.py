"""predict.py as its users run it: on rendered videos, on files of every kind, and on bad ones."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from bad_media import titled
from checkpoints import random_checkpoint
from toy_project import Project

import predict
from deepfake.crops.shards import open_crops
from deepfake.detector.checkpoint import save_checkpoint
from deepfake.errors import DeepfakeError
from deepfake.records import FrameScore
from deepfake.tables import read_rows
from deepfake.video.decoding import decode_video, frames_per_second
from deepfake.video.encoding import write_h264

ROOT = Path(__file__).parents[2]
Predict = Callable[..., dict[str, Any]]


@pytest.fixture
def model(toy: Project) -> Path:
    return toy.root / "models/release/robust.pt"


@pytest.fixture
def answers(model: Path, capsys: pytest.CaptureFixture[str]) -> Predict:
    """The JSON document about some files, with the exit status under `status`."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        status = predict.main([*map(str, arguments), "--model", str(model), "--json"])
        return {**json.loads(capsys.readouterr().out, parse_constant=pytest.fail), "status": status}

    return run


@pytest.fixture(scope="module")
def person(toy: Project) -> list[np.ndarray]:
    folder = toy.root / "data/raw/sample/ffpp/original_sequences/youtube/c23/videos"
    return decode_video(sorted(folder.iterdir())[0].read_bytes())


def test_a_test_video_gets_the_very_scores_that_evaluate_wrote(toy: Project, answers: Predict) -> None:
    root = toy.root / "data/raw/sample/ffpp"
    videos = open_crops(toy.root / "data/crops/train").in_splits(["test"]).videos
    scores = read_rows(toy.root / "data/scores/robust_train/frames.csv", FrameScore)
    found = answers(*(root / video.path for video in videos.values()))
    assert found["status"] == 0
    for video, entry in zip(videos.values(), found["files"], strict=True):
        (opinion,) = entry["faces"][0]["models"]
        said = {"clean": opinion, **opinion["recompressed"]}
        for condition in ("clean", "jpeg50", "h264_crf23"):
            logits = [score.logit for score in scores if (score.video, score.condition) == (video.video, condition)]
            assert said[condition]["logit"] == pytest.approx(fmean(logits), abs=1e-4)
        assert opinion["fake"] == (opinion["logit"] >= found["models"][0]["video_threshold"])
        assert entry["faces"][0]["doubts"] == []


def test_everybody_in_a_frame_gets_an_answer_and_a_place(
    answers: Predict, person: list[np.ndarray], tmp_path: Path
) -> None:
    smaller = [cv2.resize(frame, None, fx=0.8, fy=0.8)[:192] for frame in person]
    padded = [np.pad(frame, ((0, 48), (0, 0), (0, 0)), mode="edge") for frame in smaller]
    write_h264(tmp_path / "two.mp4", [np.hstack(pair) for pair in zip(padded, person, strict=True)], crf=12)
    (entry,) = answers(tmp_path / "two.mp4")["files"]
    first, second = (face["boxes"][0]["x0"] for face in entry["faces"])
    assert (entry["frames_with_face"], len(entry["frames"])) == (4, 4)
    assert first > 256 > second, "the larger face comes first"


def test_pictures_of_every_kind_are_read(answers: Predict, person: list[np.ndarray], tmp_path: Path) -> None:
    bgr = cv2.cvtColor(person[0], cv2.COLOR_RGB2BGR)
    kinds = {
        "plain.png": bgr,
        "alpha.png": np.dstack([bgr, np.full(bgr.shape[:2], 128, np.uint8)]),
        "deep.png": bgr.astype(np.uint16) * 257,
        "grey.png": cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY),
    }
    for name, picture in kinds.items():
        cv2.imwrite(str(tmp_path / name), picture)
    entries = {Path(entry["file"]).name: entry for entry in answers(tmp_path)["files"]}
    plain = entries["plain.png"]["faces"][0]
    assert plain["models"][0]["recompressed"]["h264_crf23"] is None
    assert entries["alpha.png"]["faces"][0]["models"] == entries["deep.png"]["faces"][0]["models"] == plain["models"]
    assert entries["grey.png"]["outcome"] == "inconclusive"


def test_a_face_that_stands_on_its_head_gets_no_verdict(
    answers: Predict, person: list[np.ndarray], tmp_path: Path
) -> None:
    for name, frame in (("upright.png", person[0]), ("turned.png", person[0][::-1, ::-1])):
        cv2.imwrite(str(tmp_path / name), cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2BGR))
    turned, upright = answers(tmp_path)["files"]
    assert upright["faces"][0]["doubts"] == []
    assert turned["outcome"] in ("inconclusive", "no face"), "MTCNN finds some faces upside down"


def test_a_turned_video_is_set_upright(answers: Predict, person: list[np.ndarray], tmp_path: Path) -> None:
    with av.open(str(tmp_path / "turned.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = person[0].shape[0], person[0].shape[1], "yuv420p"
        stream.set_display_rotation(90)
        for frame in person:
            turned = np.ascontiguousarray(np.rot90(frame, -1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(turned, format="rgb24")))
        container.mux(stream.encode(None))
    (entry,) = answers(tmp_path / "turned.mp4")["files"]
    assert entry["frames_with_face"] == 4


def test_one_bad_file_does_not_stop_the_rest_and_the_worst_status_counts(
    answers: Predict, person: list[np.ndarray], tmp_path: Path
) -> None:
    write_h264(tmp_path / "good.mp4", person, crf=20)
    cv2.imwrite(str(tmp_path / "nobody.png"), np.full((120, 160, 3), 90, np.uint8))
    (tmp_path / "text.mp4").write_text("not a video")
    found = answers(*(tmp_path / name for name in ("text.mp4", "nobody.png", "missing.mp4", "good.mp4")))
    outcomes = [entry["outcome"] for entry in found["files"]]
    assert outcomes[:3] == ["unreadable", "no face", "unreadable"]
    assert outcomes[3] in ("fake", "real")
    assert found["files"][2]["reason"] == "no such file"
    assert found["status"] == 4
    assert answers(tmp_path / "nobody.png", tmp_path / "good.mp4")["status"] == 3


def test_more_frames_are_spread_over_the_video_and_said_to_be_another_plan(
    answers: Predict, person: list[np.ndarray], tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = [np.full_like(person[0], 90)] * 32
    write_h264(tmp_path / "late.mp4", [*blank, *person], crf=20)
    assert answers(tmp_path / "late.mp4")["files"][0]["outcome"] == "no face"
    found = answers(tmp_path / "late.mp4", "--frames", "40")
    assert found["plan"] == {"clips": 10, "length": 4, "as_fitted": False}
    assert found["files"][0]["faces"][0]["frames_found"] >= 6
    predict.main([str(tmp_path / "late.mp4"), "--frames", "40", "--model", str(model)])
    assert "1 % false alarms are not promised" in capsys.readouterr().out


def test_a_picture_of_the_answer_is_drawn_and_does_not_change_it(
    answers: Predict, person: list[np.ndarray], toy: Project, tmp_path: Path
) -> None:
    write_h264(tmp_path / "clip.mp4", person, crf=20)
    beside = ("--beside", toy.root / "models/release/baseline.pt")
    drawn = answers(tmp_path / "clip.mp4", "--out", tmp_path / "out", *beside)
    plain = answers(tmp_path / "clip.mp4", *beside)
    sheet = cv2.imread(drawn["files"][0].pop("picture"))
    assert sheet is not None
    assert sheet.shape[1] > 900
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000, "more than text on white"
    assert plain["files"][0].pop("picture") is None
    assert drawn == plain
    assert [opinion["name"] for opinion in plain["files"][0]["faces"][0]["models"]] == ["robust", "baseline"]


def test_text_has_the_answer_the_model_and_the_caution(
    model: Path, person: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_h264(tmp_path / "clip\n.mp4", person, crf=20)
    assert predict.main([str(tmp_path / "clip\n.mp4"), "--model", str(model)]) == 0
    about, outcome, face, recompressed = capsys.readouterr().out.splitlines()
    assert "stage train_robust" in about
    assert "must not be believed on real ones" in about
    assert "a face in 4 of 4 frames" in outcome
    assert face.startswith("  face 1: ")
    assert "after H.264 CRF 23" in recompressed


def test_every_key_of_the_json_is_documented(answers: Predict, person: list[np.ndarray], tmp_path: Path) -> None:
    write_h264(tmp_path / "clip.mp4", person, crf=20)
    found = answers(tmp_path / "clip.mp4")
    del found["status"], found["models"][0]["training"]
    text = (ROOT / "docs/scoring.md").read_text()
    assert not [key for key in keys(found) if f"`{key}`" not in text]


def test_a_folder_and_a_handed_over_checkpoint_are_all_it_needs(
    model: Path, person: list[np.ndarray], tmp_path: Path
) -> None:
    (tmp_path / "handed.pt").write_bytes(model.read_bytes())
    write_h264(tmp_path / "clip.mp4", person, crf=20)
    script = [sys.executable, str(ROOT / "src/predict.py"), "clip.mp4", "--model", "handed.pt", "--json"]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["models"][0]["path"] == "handed.pt"
    assert done.stderr == ""
    script[2] = "."
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert [each["file"] for each in json.loads(done.stdout)["files"]] == ["clip.mp4"]
    assert done.stderr == "note: 1 files in folders are passed over (.pt)\n", "nobody should believe that all was seen"


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("a checkpoint ran code",)


def test_nothing_in_a_checkpoint_is_run(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = torch.load(model, weights_only=True)
    torch.save({**content, "training": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(DeepfakeError, match="not a checkpoint that can be loaded safely"):
        predict.main(["clip.mp4", "--model", str(tmp_path / "bomb.pt")])
    assert "ran code" not in capsys.readouterr().out


@pytest.mark.parametrize("part", ["training", "weights"])
def test_a_checkpoint_of_another_shape_is_refused_in_one_line(model: Path, tmp_path: Path, part: str) -> None:
    torch.save({**torch.load(model, weights_only=True), part: [1]}, tmp_path / "odd.pt")
    with pytest.raises(DeepfakeError, match=r"odd\.pt: damaged"):
        predict.main(["clip.mp4", "--model", str(tmp_path / "odd.pt")])


def test_a_detector_of_other_crops_cannot_stand_beside(model: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "other.pt", random_checkpoint())
    with pytest.raises(DeepfakeError, match="looks at other frames or crops"):
        predict.main(["clip.mp4", "--model", str(model), "--beside", str(tmp_path / "other.pt")])


def test_an_output_folder_that_cannot_be_made_is_one_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeepfakeError, match=r"--out .*file: a file; a folder would be right"):
        predict.main(["clip.mp4", "--model", str(model), "--out", str(tmp_path / "file")])
    with pytest.raises(DeepfakeError, match="is to be scored itself"):
        predict.main([str(tmp_path), "--model", str(model), "--out", str(tmp_path)])


def test_what_was_found_before_an_interruption_is_told(
    model: Path, person: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write_h264(tmp_path / "clip.mp4", person, crf=10)
    answered = predict._answers

    def interrupted(*arguments: Any) -> Iterator[Any]:
        yield from answered(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "_answers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict.main([str(tmp_path / "clip.mp4"), "--model", str(model), "--json"])
    assert [each["file"] for each in json.loads(capsys.readouterr().out)["files"]] == [str(tmp_path / "clip.mp4")]


def test_an_output_folder_that_nothing_can_be_written_to_is_known_at_once(model: Path) -> None:
    with pytest.raises(DeepfakeError, match=r"--out /proc: "):
        predict.main(["clip.mp4", "--model", str(model), "--out", "/proc"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["a.mp4", "--out", ""],
        ["a.mp4", "--model", ""],
        ["a.mp4", "--frames", "0"],
        ["a.mp4", "--frames", "many"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        predict.main(arguments)
    assert stopped.value.code == 2


def test_help_lists_every_exit_status_and_does_not_wait_for_torch() -> None:
    code = "import sys, predict\ntry: predict.main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = [line.split()[0] for line in done.stdout.partition("exit status:")[2].splitlines() if line[:2] == "  "]
    assert listed == ["0", "1", "2", "3", "4", "130", "141"]


def keys(value: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return {*value}.union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("name", ["12:30.mp4", "人" * 80 + ".mp4"])
def test_a_picture_is_drawn_whatever_the_file_is_called(
    answers: Predict, person: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """FFmpeg takes what is before a colon for a protocol, and file systems count bytes."""
    monkeypatch.chdir(tmp_path)
    write_h264(Path(name), person, crf=12)
    (entry,) = answers(name, "--out", "drawn")["files"]
    assert Path(entry["picture"]).stat().st_size > 10_000


def test_a_title_in_another_encoding_does_not_hide_the_rate(tmp_path: Path) -> None:
    (tmp_path / "a.avi").write_bytes(titled(b"caf\xe9"))
    assert frames_per_second(tmp_path / "a.avi") == 25
    assert frames_per_second(tmp_path / "none.avi") is None
