"""The pipeline as its users run it: real DVC on the toy project."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from toy_project import Project

from deepfake.crops.shards import open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.findings import EpsScore, Explanation, Perturbation
from deepfake.records import FaceVideo, FrameScore
from deepfake.tables import read_rows

CODECS = ("", "_jpeg50", "_h264_crf23")
CONDITIONS = (
    {"clean", "jpeg50", "h264_crf23"}
    | {f"{attack}{codec}" for attack in ("pgd", "unet", "pgd_both", "unet_both") for codec in CODECS}
    | {"apgd", "adaptive_jpeg50", "adaptive_h264_crf23"}
)
MODELS = ("baseline", "longer", "robust")
EVALUATE = {f"evaluate@{model}-{role}" for model in MODELS for role in ("train", "cross")}


@pytest.fixture
def project(toy: Project, tmp_path: Path) -> Project:
    return toy.copy(tmp_path / "project")


def test_a_second_repro_reruns_nothing(toy: Project) -> None:
    assert "Data and pipelines are up to date." in toy.succeed("dvc", "repro")


def test_repro_leaves_nothing_uncommitted_but_what_git_ignores(toy: Project) -> None:
    assert toy.succeed("git", "status", "--porcelain") == ""


def test_each_stage_wrote_what_the_next_one_reads(toy: Project) -> None:
    data = toy.root / "data"
    for role in ("train", "cross"):
        videos = read_rows(data / "faces" / role / "videos.csv", FaceVideo)
        crops = open_crops(data / "crops" / role)
        assert len(videos) == len(list(toy.root.glob(f"data/raw/sample/{_tree(role)}/**/*.mp4"))) - _masks(toy, role)
        assert {row.video for row in crops.rows} == {video.video for video in videos if video.frames_found}
        scored = {video.video for video in videos if video.split != "train" and video.frames_found}
        for model in MODELS:
            scores = read_rows(data / "scores" / f"{model}_{role}" / "frames.csv", FrameScore)
            assert {score.condition for score in scores} == CONDITIONS
            assert {score.video for score in scores} == scored
            assert read_rows(data / "scores" / f"{model}_{role}" / "perturbations.csv", Perturbation)
            curve = read_rows(data / "scores" / f"{model}_{role}" / "eps_curve.csv", EpsScore)
            assert {(score.attack, round(255 * score.eps)) for score in curve} == {
                (attack, eps) for attack in ("pgd", "worst") for eps in (0, 1, 8)
            }
        explained = read_rows(data / "explain" / role / "faces.csv", Explanation)
        assert {row.model for row in explained} == {"baseline", "robust"}
        assert {path.suffix for path in (toy.root / "plots" / "gradcam" / role).iterdir()} == {".png"}


def test_attacks_stay_in_their_budget_to_the_last_pixel(toy: Project) -> None:
    for model in MODELS:
        moved = read_rows(toy.root / "data" / "scores" / f"{model}_train" / "perturbations.csv", Perturbation)
        named = {"pgd", "unet", "adaptive_jpeg50", "adaptive_h264_crf23"}
        assert {row.attack for row in moved} - {"apgd"} == named, "APGD where something stood"
        assert all(0 <= row.linf <= 8 / 255 + 1e-6 for row in moved)
        assert all(row.linf > 0 for row in moved if row.attack in ("pgd", "unet"))


def test_no_person_is_in_two_splits(toy: Project) -> None:
    videos = read_rows(toy.root / "data/faces/train/videos.csv", FaceVideo)
    for cluster in {video.cluster for video in videos}:
        assert len({video.split for video in videos if video.cluster == cluster}) == 1


def test_the_checkpoint_says_how_it_was_made(toy: Project) -> None:
    checkpoint = load_checkpoint(toy.root / "models/baseline.pt")
    assert checkpoint.crops.size == 32
    assert checkpoint.detector.backbone == "efficientnet_lite0"
    assert checkpoint.training["seed"] == 1


def test_what_is_exported_is_the_trained_detector_and_what_git_carries(toy: Project) -> None:
    for model in MODELS:
        trained, exported = (load_checkpoint(toy.root / "models" / name / f"{model}.pt") for name in ("", "release"))
        assert exported.training == trained.training
    tracked = toy.succeed("git", "ls-files", "models").split()
    assert tracked == [f"models/release/{model}.pt" for model in MODELS], "and no .gitignore of DVC's"


def test_the_headline_is_flat_small_and_finite(toy: Project) -> None:
    headline = json.loads((toy.root / "metrics/headline.json").read_text())
    assert 0 < len(headline) <= 30
    assert all(isinstance(value, int | float) and value == value for value in headline.values())


def test_metrics_and_plots_can_be_shown(toy: Project, tmp_path: Path) -> None:
    assert "headline.json" in toy.succeed("dvc", "metrics", "show")
    toy.succeed("dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    page = (tmp_path / "plots" / "index.html").read_text()
    assert "ROC in-domain (train)" in page


def test_what_the_page_was_made_from_leads_to_the_commit_that_recorded_it(toy: Project) -> None:
    page = (toy.root / "plots/report.html").read_text()
    hashes = re.findall(r"<code>([0-9a-f]{32}(?:\.dir)?)</code>", page)
    assert len(hashes) == 9, "three models, six folders of scores"
    for told in hashes:
        found = toy.succeed("git", "log", "-S", told, "--format=%s", "--", "dvc.lock")
        assert found == "Run the toy pipeline\n"


def test_training_opens_with_a_unet_that_is_fitted_for_less_long_than_evaluations(toy: Project) -> None:
    curves = {name: toy.root / f"plots/training/attacker_{name}/plots/metrics/val/auc.tsv"
              for name in ("opening", *MODELS)}  # fmt: skip
    epochs = {name: len(path.read_text().splitlines()) - 1 for name, path in curves.items()}
    assert epochs == {"opening": 1, **dict.fromkeys(MODELS, 2)}


def test_a_new_quality_reruns_evaluation_and_report_only(project: Project) -> None:
    printed = project.succeed("dvc", "exp", "run", "-S", "evaluate.jpeg_quality=[30]")
    assert ran(printed) == {*EVALUATE, "report"}
    assert "jpeg30" in (project.root / "plots/conditions.csv").read_text()
    assert "clean" not in project.succeed("dvc", "metrics", "diff", "--md"), "what did not change must not show"


def test_a_new_budget_retrains_and_attacks_again_and_leaves_the_baseline_alone(project: Project) -> None:
    printed = project.succeed("dvc", "exp", "run", "-S", "attack.eps=4/255")
    maybe = {"export@longer"}  # the budget only helps to choose the control's epoch, which may stay the same
    assert ran(printed) | maybe == maybe | {
        "fit_attacker@opening", "train_robust@robust", "train_robust@longer", "export@robust",
        *(f"fit_attacker@{model}" for model in MODELS),
        *EVALUATE, "render_gradcam@train", "render_gradcam@cross", "report",
    }  # fmt: skip
    assert "attack.eps" in project.succeed("dvc", "params", "diff")
    diff = project.succeed("dvc", "metrics", "diff", "--md")
    assert "robust.train.worst_eps4.auc" in diff, "a point of the curve that was not there"
    assert "coverage" not in diff, "what did not change must not show"
    moved = read_rows(project.root / "data/scores/baseline_train/perturbations.csv", Perturbation)
    assert max(row.linf for row in moved) <= 4 / 255 + 1e-6


def take_back(project: Project) -> None:
    """What docs/experiments.md says undoes an experiment."""
    results = ("metrics", "plots", "models/release", "docs/model_card.md")
    project.succeed("git", "checkout", "params.yaml", "dvc.lock", *results)
    project.succeed("git", "clean", "-fdq", "metrics", "plots")
    project.succeed("dvc", "checkout")


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("crops.size=banana", "crops.size"),
        ("+crops.sizes=64", "crops.sizes: no such key"),
        ("faces.min_face=3", "20"),
        ("attack.eps=banana", "attack.eps: should be a budget such as 8/255 or 0.03, above 0 and at most 1/2"),
        ("attack.eps=2", "attack.eps: should be a budget such as 8/255 or 0.03, above 0 and at most 1/2, not 2"),
    ],
)
def test_a_bad_setting_is_one_line_and_can_be_undone(project: Project, setting: str, line: str) -> None:
    done = project.run("dvc", "exp", "run", "-S", setting)
    assert done.returncode != 0
    errors = [text for text in (done.stdout + done.stderr).splitlines() if text.startswith("error: ")]
    assert len(errors) == 1
    assert line in errors[0]
    assert "Traceback" not in done.stdout + done.stderr
    take_back(project)
    assert "up to date" in project.succeed("dvc", "repro")


def test_the_thorough_profile_explains_faces_that_it_scored_and_can_be_undone(project: Project) -> None:
    printed = project.succeed("dvc", "exp", "run", "-S", "evaluate.profile=thorough")
    assert "Running stage 'report'" in printed
    assert "Running stage 'train" not in printed
    assert "profile thorough" in (project.root / "plots/summary.md").read_text()
    take_back(project)
    assert "up to date" in project.succeed("dvc", "repro")
    assert project.succeed("git", "status", "--porcelain") == ""


def test_the_cross_dataset_can_be_left_out(project: Project) -> None:
    printed = project.succeed("dvc", "exp", "run", "-S", "~datasets.cross")
    assert "Running stage 'report'" in printed
    assert "Running stage 'evaluate" not in printed
    headline = json.loads((project.root / "metrics/headline.json").read_text())
    assert not [key for key in headline if "cross" in key]
    assert [key for key in headline if "train" in key]


def test_a_missing_dataset_is_named(project: Project) -> None:
    params = yaml.safe_load((project.root / "params.yaml").read_text())
    params["datasets"]["train"]["root"] = "nowhere"
    (project.root / "params.yaml").write_text(yaml.safe_dump(params))
    done = project.run("python", "src/extract_faces.py", "--role", "train", "--out", "data/faces/train")
    assert done.returncode == 1
    assert done.stderr.startswith("error: nowhere: no such folder")
    assert (project.root / "data/faces/train/videos.csv").exists(), "the old result is left alone"


def test_a_video_that_cannot_be_used_is_counted_and_the_run_goes_on(project: Project) -> None:
    originals = project.root / "data/raw/sample/ffpp/original_sequences/youtube/c23/videos"
    broken = sorted(originals.iterdir())[0]
    broken.chmod(0o644)
    broken.write_bytes(b"not a video")
    printed = project.succeed("python", "src/extract_faces.py", "--role", "train", "--out", "data/faces/again")
    assert "1 videos without a face: not a video" in printed
    videos = read_rows(project.root / "data/faces/again/videos.csv", FaceVideo)
    assert [video.reason[:11] for video in videos if not video.frames_found] == ["not a video"]


def test_a_new_video_does_not_recompute_the_others(project: Project) -> None:
    """What extraction remembers is touched by nothing but the new video."""
    work = project.root / ".work" / "extract_faces"
    before = {path.name: path.stat().st_mtime_ns for path in work.iterdir()}
    celeb = project.root / "data/raw/sample/celebdf"
    shutil.copy2(sorted((celeb / "Celeb-real").iterdir())[0], celeb / "YouTube-real" / "99999.mp4")
    with (celeb / "List_of_testing_videos.txt").open("a") as file:
        file.write("1 YouTube-real/99999.mp4\n")
    (celeb / "YouTube-real" / "99999.mp4").chmod(0o644)
    with (celeb / "YouTube-real" / "99999.mp4").open("ab") as file:
        file.write(b"\0" * 8)
    project.succeed("python", "src/extract_faces.py", "--role", "cross", "--out", "data/faces/again")
    after = {path.name: path.stat().st_mtime_ns for path in work.iterdir()}
    assert len(after) == len(before) + 1
    assert all(after[name] == time for name, time in before.items())


def test_a_stale_lock_is_named(project: Project) -> None:
    assert project.run("python", ".ci/stale.py").returncode == 0
    with (project.root / "src/deepfake/crops/cutting.py").open("a") as file:
        file.write("\n# a change\n")
    done = project.run("python", ".ci/stale.py")
    assert done.returncode == 1
    assert "stale: cache_crops@train: src/deepfake/crops/cutting.py is modified\n" in done.stderr
    assert "stale: fit_attacker@baseline: reads what cache_crops@train writes\n" in done.stderr, "its own are unchanged"
    assert "stale: make_sample" not in done.stderr


def test_a_stage_that_was_never_run_and_a_result_that_was_not_committed_are_stale(project: Project) -> None:
    pipeline = (project.root / "dvc.yaml").read_text()
    new = "stages:\n  new:\n    cmd: touch data/new\n    outs: [data/new]\n"
    (project.root / "dvc.yaml").write_text(pipeline.replace("stages:\n", new, 1))
    (project.root / "metrics/headline.json").unlink()
    shutil.rmtree(project.root / "data" / "scores")
    done = project.run("python", ".ci/stale.py")
    assert [line for line in done.stderr.splitlines() if line.startswith("stale")] == [
        "stale: new: it was never run",
        "stale: report: metrics/headline.json is not committed",
    ]


@pytest.mark.parametrize(
    ("written", "reader", "read"),
    [
        ("data/crops/train", "train_baseline", "data/crops/train"),
        ("data/scores/robust_train", "report", "data/scores"),
    ],
)
def test_a_lock_in_which_a_stage_read_what_is_no_longer_written_is_stale(
    toy: Project, tmp_path: Path, written: str, reader: str, read: str
) -> None:
    """A clone has no data that could show it: somebody ran one stage and not those after it."""
    clone = Project(tmp_path / "clone")
    toy.succeed("git", "clone", "--quiet", str(toy.root), str(clone.root))
    lock = yaml.safe_load((clone.root / "dvc.lock").read_text())
    (entry,) = (out for stage in lock["stages"].values() for out in stage["outs"] if out["path"] == written)
    entry |= {"md5": f"{0:032}.dir", "size": entry["size"] + 1}
    (clone.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    done = clone.run("python", ".ci/stale.py")
    assert done.returncode == 1
    assert f"stale: {reader}: {read} was written again since it was read\n" in done.stderr


def test_a_fresh_clone_is_not_stale(toy: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "clone")
    toy.succeed("git", "clone", "--quiet", str(toy.root), str(clone.root))
    done = clone.run("python", ".ci/stale.py")
    assert done.returncode == 0, done.stderr


def test_the_same_revision_gives_the_same_bytes_again(toy: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "clone")
    toy.succeed("git", "clone", "--quiet", str(toy.root), str(clone.root))
    clone.succeed("dvc", "repro")
    assert clone.succeed("git", "status", "--porcelain") == "", "some committed result came out different"
    assert "identical" in clone.succeed("python", "src/compare.py")


def ran(printed: str) -> set[str]:
    """Names of the stages that were run, from what DVC printed."""
    return {line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")}


def _tree(role: str) -> str:
    return {"train": "ffpp", "cross": "celebdf"}[role]


def _masks(project: Project, role: str) -> int:
    return len([path for path in project.root.glob(f"data/raw/sample/{_tree(role)}/**/*.mp4") if "masks" in path.parts])
