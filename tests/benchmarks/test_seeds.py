from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import nan
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import seeds
import torch
import yaml
from seeds_table import FLAGS, MEAN, Line, to_lines, to_markdown
from stages_anew import Stage, StageError, code_of, read_stages, run_stages
from toy_project import REPOSITORY

from deepfake.errors import SettingsError
from deepfake.params import Params, load_params
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.pairing import Pair
from deepfake.work import file_hash


@pytest.fixture
def params() -> Params:
    return load_params(REPOSITORY / "params.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to run stages in."""
    (tmp_path / "params.yaml").write_text("evaluate: {eps: 8}\nrobust: {steps: 3}\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "attack.py").write_text("one\n")
    return tmp_path


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def stage(name: str, *, reads: str = "", script: str = "", code: str = "", params: str = "") -> Stage:
    """A stage that adds its name to what it reads, and to what it wrote before."""
    command = script or f"mkdir -p out && {{ [ -z '{reads}' ] || cat out/{reads}; echo {name}; }} >> out/{name}"
    deps = [f"out/{reads}"] * bool(reads) + [code] * bool(code)
    return Stage(name, command, tuple(deps), (f"out/{name}",), (params,) * bool(params))


def test_a_stage_runs_after_those_that_make_what_it_reads(folder: Path, pool: ThreadPoolExecutor) -> None:
    run_stages([stage("c", reads="b"), stage("b", reads="a"), stage("d"), stage("a")], folder, pool)
    assert (folder / "out" / "c").read_text().split() == ["a", "b", "c"]
    assert (folder / "out" / "d").exists()


def test_what_is_finished_is_not_run_again_but_what_is_not_is(folder: Path, pool: ThreadPoolExecutor) -> None:
    run_stages([stage("a"), stage("b", reads="a")], folder, pool)
    (folder / "out" / "b").unlink()
    run_stages([stage("a"), stage("b", reads="a")], folder, pool)
    assert (folder / "out" / "a").read_text().split() == ["a"]
    assert (folder / "out" / "b").read_text().split() == ["a", "b"]


def test_an_output_that_no_finished_stage_wrote_is_not_taken_for_its_own(
    folder: Path, pool: ThreadPoolExecutor
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a").write_text("by somebody\n")
    run_stages([stage("a")], folder, pool)
    assert (folder / "out" / "a").read_text().split() == ["by", "somebody", "a"]


@pytest.mark.parametrize(
    ("path", "text"), [("src/attack.py", "two\n"), ("params.yaml", "evaluate: {eps: 4}\nrobust: {steps: 3}\n")]
)
def test_other_code_or_parameters_run_their_stage_and_those_after_it_again(
    folder: Path, pool: ThreadPoolExecutor, path: str, text: str
) -> None:
    train = stage("train", params="robust.steps")
    attack = stage("attack", reads="train", code="src/attack.py", params="evaluate.eps")
    stages = [train, attack, stage("table", reads="attack")]
    run_stages(stages, folder, pool)
    (folder / path).write_text(text)
    run_stages(stages, folder, pool)
    runs = [len((folder / "out" / each.name).read_text().splitlines()) for each in stages]
    assert runs == [1, 4, 8]  # lines: each run adds one after all that it reads


def test_what_a_failed_run_leaves_is_not_taken_for_the_former_one(folder: Path, pool: ThreadPoolExecutor) -> None:
    def attack(eps: int) -> Stage:
        (folder / "params.yaml").write_text(f"evaluate: {{eps: {eps}}}\n")
        script = "mkdir -p out; cat params.yaml > out/a; ! grep -q 4 params.yaml"
        return stage("a", script=script, params="evaluate.eps")

    run_stages([attack(8)], folder, pool)
    with pytest.raises(StageError):
        run_stages([attack(4)], folder, pool)
    run_stages([attack(8)], folder, pool)
    assert "8" in (folder / "out" / "a").read_text()


def test_a_stage_that_fails_ends_the_run_with_its_last_line(folder: Path, pool: ThreadPoolExecutor) -> None:
    bad = stage("bad", script="echo first; echo why it failed >&2; false")
    with pytest.raises(StageError, match=r"bad\.log: why it failed"):
        run_stages([bad, stage("late", reads="bad")], folder, pool)
    assert not (folder / "out" / "late").exists()


@pytest.mark.parametrize("anew", [False, True])
def test_the_lock_has_every_stage_in_an_order_that_ends_with_all_scores(anew: bool) -> None:
    stages = read_stages(REPOSITORY / "dvc.lock", seeds.stage_names(["train", "cross"], anew=anew))
    made = {out for each in stages for out in each.outs}
    scores = {f"data/scores/{model}_{role}" for model in seeds.MODELS for role in ("train", "cross")}
    assert scores <= made
    given = {dep for each in stages for dep in each.deps if not dep.startswith("src/")} - made
    assert given == (
        {"data/raw/sample/ffpp", "data/raw/sample/celebdf"} if anew else {"data/crops/train", "data/crops/cross"}
    )


def test_the_code_of_a_run_is_that_of_its_stages_and_not_of_the_table() -> None:
    stages = read_stages(REPOSITORY / "dvc.lock", seeds.stage_names(["train"], anew=False))
    hashes = code_of(stages)
    for name, is_part in (("training/adversarial.py", True), ("attacks/apgd.py", True), ("reporting/page.py", False)):
        assert (file_hash(REPOSITORY / "src/deepfake" / name) in hashes) == is_part


@pytest.mark.parametrize(
    "arguments",
    [["--set", "crops.size=128"], ["--set", "seed=5"], ["--anew", "--set", "sample.frames=8"], ["--seeds", "2", "2"]],
    ids=" ".join,
)
def test_what_would_be_told_and_have_no_influence_is_refused(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(SettingsError, match=r"no influence|each of them once"):
        seeds.main([*arguments, "--out", str(tmp_path / "table")])


def test_a_stage_that_the_lock_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    with pytest.raises(StageError, match="no stage export@baseline"):
        read_stages(tmp_path / "dvc.lock", ["export@baseline"])


def test_parameters_are_changed_by_path_and_value(params: Params, tmp_path: Path) -> None:
    changes = ["robust.eps=4/255", "datasets.cross=null", "datasets.train={layout: manifest, root: /data}"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(seeds.changed(params, changes)))
    found = load_params(tmp_path / "params.yaml")
    assert found.robust.eps == pytest.approx(4 / 255)
    assert found.datasets.cross is None
    assert found.datasets.train.root == "/data"
    assert found.unet == params.unet


@pytest.mark.parametrize("change", ["robust.epz=1", "robot.eps=1", "seed.eps=1", "robust.eps", "robust.eps="])
def test_a_change_of_nothing_is_refused(params: Params, change: str) -> None:
    with pytest.raises(SettingsError, match=r"a key of params\.yaml and =value"):
        seeds.changed(params, [change])


def test_a_value_that_no_stage_would_take_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("DEEPFAKE_WORK", str(tmp_path))
    with pytest.raises(SettingsError, match=r"^--set: datasets\.train"):
        seeds.main(["--anew", "--set", "datasets.train=3", "--out", str(tmp_path / "t")])
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize(("answer", "code"), [('{"report": ["changed command"]}', 0), ("", 1)])
def test_the_pipelines_own_run_counts_only_while_it_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch, params: Params, answer: str, code: int
) -> None:
    def status(text: str, returncode: int) -> None:
        done = CompletedProcess([], returncode, text, "no project")
        monkeypatch.setattr("stages_anew.subprocess.run", lambda *_, **__: done)

    status(answer, code)
    with pytest.raises(StageError, match=r"report, …\): run dvc repro first|dvc status: no project"):
        seeds.own_run(params)
    status("{}\n", 0)
    assert seeds.own_run(params).folder == REPOSITORY


def test_lines_are_those_of_the_claim() -> None:
    def pair(condition: str, metric: str, reference: str = "baseline") -> Pair:
        return Pair("train", condition, metric, reference, 0.25, 0.75, Estimate(0.5, 0.4, 0.6))

    pairs = [
        pair(condition, metric)
        for condition in ("clean", "jpeg90", "pgd_jpeg50", "unet_jpeg50", "worst", "worst_eps2", "worst_eps3")
        for metric in ("auc", "tpr_at_1pct_fpr")
    ]
    pairs += [pair("clean", "auc", "longer")]
    lines = list(to_lines("3", pairs, []))
    assert [(line.condition, line.metric) for line in lines] == [
        ("clean", "auc"), ("clean", "tpr_at_1pct_fpr"), ("unet_jpeg50", "auc"), ("unet_jpeg50", "tpr_at_1pct_fpr"),
        ("worst_eps2", "auc"),
    ]  # fmt: skip
    assert lines[0] == Line("train", "clean", "auc", "3", 0.25, 0.75, 0.5, 0.4, 0.6)


def test_several_runs_have_a_mean_by_the_settings_that_they_share(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair("train", "clean", "auc", "baseline", 0.25, 0.75, Estimate(0.5, 0.4, 0.6))
    asked: list[object] = []

    def pair_means(_: object, *settings: object) -> list[Pair]:
        asked.append(settings)
        return [pair]

    monkeypatch.setattr(seeds, "pair_models", lambda *_: [pair])
    monkeypatch.setattr(seeds, "pair_means", pair_means)
    own = params.model_copy(update={"report": params.report.model_copy(update={"resamples": 77})})
    runs = [seeds.Run(seed, own, REPOSITORY) for seed in (4, 5)]
    assert [line.seed for line in seeds.lines_of(runs, [[], []], 9)] == ["4", "5", MEAN]
    assert asked == [(own.report, 9)]
    assert [line.seed for line in seeds.lines_of(runs[:1], [[]], 9)] == ["4"]


def test_the_table_counts_seeds_that_win_and_lose(params: Params) -> None:
    bounds = [(0.4, 0.6), (-0.1, 0.6), (-0.3, -0.1), (nan, nan), (-0.5, -0.0004), (0.0004, 0.5)]
    lines = [Line("train", "worst_eps2", "auc", str(seed), 0.1, 0.6, 0.5, *bound) for seed, bound in enumerate(bounds)]
    lines += [Line("train", "worst_eps2", "auc", MEAN, 0.2, 0.6, 0.4, 0.3, 0.5)]
    lines += [Line("train", "", FLAGS, str(seed), 2, 0, -2, nan, nan) for seed in range(6)]
    text = to_markdown(lines, params, torch.device("cpu"))
    assert "| in-domain, AUC: worst case at 2/255 | 0.100 → 0.600 (+0.400 to +0.600) |" in text
    assert "| 0.200 → 0.600 (+0.300 to +0.500) |  | 1 | 1 |" in text, "the mean is no seed that wins, and 0 is none"
    assert "| 2 → 0 | 2 → 0 |  |  | 0 | 0 |" in text
    assert f"crops of {params.crops.size} px" in text
    assert "Every seed: both" in text


def test_the_table_says_how_much_a_mean_hangs_on_which_trainings_there_were(params: Params) -> None:
    gains = {"1": 0.1, "2": 0.2, "3": 0.3}
    lines = [Line("train", "clean", "auc", seed, 0.5, 0.5 + gain, gain, 0.0, 0.5) for seed, gain in gains.items()]
    lines += [Line("train", "clean", "auc", MEAN, 0.5, 0.7, 0.2, 0.1, 0.3)]
    text = to_markdown(lines, params, torch.device("cpu"))
    assert "| -0.048 to +0.448 | 0 | 0 |" in text, "t of two degrees of freedom is 4.303, the standard error .0577"


def test_the_table_says_what_was_set_and_which_run_is_the_pipelines(params: Params) -> None:
    text = to_markdown([], params, torch.device("cpu"), ["robust.replays=1", "seed=2"], own=1)
    assert text.endswith(" With robust.replays=1 seed=2.\n")
    assert "Seed 1 is the pipeline's own run" in text
    assert "Every other one: both" in text
