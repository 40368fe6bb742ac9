"""The report stage writes all that it promises: self-contained, escaped, and the same bytes for the same scores."""

import csv
import re
import shutil
import socket
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import yaml

import report
from deepfake.errors import DataError
from deepfake.reporting.training_curves import read_training_curves

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags, texts and links of a page; an unbalanced tag fails at once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def run_report(folder: Path, scores: Path, curves: Path, *, cross: bool = True) -> Path:
    """Run the stage in `folder` with few resamples and give the folder back."""
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings["report"]["resamples"] = 100
    if not cross:
        del settings["datasets"]["cross"]
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        report.main(["--scores", str(scores), "--curves", str(curves), "--metrics", "metrics", "--plots", "plots"])
    return folder


@pytest.fixture(scope="module")
def reported(score_root: Path, curve_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_report(tmp_path_factory.mktemp("reported"), score_root, curve_root)


def outputs(folder: Path) -> dict[str, bytes]:
    files = [path for name in ("metrics", "plots") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def page_of(folder: Path) -> str:
    return (folder / "plots" / "report.html").read_text(encoding="utf-8")


def figures(page: str) -> Iterator[str]:
    for source in Page(page).links:
        if source.startswith("data:image/svg+xml,"):
            yield unquote(source.partition(",")[2])


def test_all_outputs_are_there(reported: Path) -> None:
    names = set(outputs(reported))
    conditions = ["clean", "jpeg90", "jpeg70", "jpeg50", "jpeg30", "h264_crf23", "h264_crf40"]
    curves = {
        f"plots/curves/{kind}/baseline_{role}.csv"
        for kind in ("auc", "methods", "reliability")
        for role in ("train", "cross")
    }
    roc = {f"plots/curves/roc/baseline_{role}/{name}.csv" for role in ("train", "cross") for name in conditions}
    tables = {"plots/conditions.csv", "plots/results.md", "plots/report.html"}
    assert names == curves | roc | tables | {"metrics/headline.json", "metrics/intervals.json"}


def test_the_same_scores_give_the_same_bytes(
    reported: Path, editable_scores: Path, curve_root: Path, tmp_path: Path
) -> None:
    for path in editable_scores.rglob("frames.csv"):
        header, *rows = path.read_text().splitlines()
        shuffled = sorted(sorted(rows, reverse=True), key=position_of_condition)
        path.write_text("\n".join([header, *shuffled, ""]))
    assert outputs(run_report(tmp_path, editable_scores, curve_root)) == outputs(reported)


def position_of_condition(row: str) -> int:
    order = ["clean", "jpeg90", "jpeg70", "jpeg50", "jpeg30", "h264_crf23", "h264_crf40"]
    return order.index(row.partition(",")[0])


def test_the_page_is_well_formed_and_needs_nothing_from_outside(reported: Path) -> None:
    page = Page(page_of(reported))
    assert not page.tags & {"script", "link", "iframe", "object"}
    outside = [link for link in page.links if not link.startswith(("#", "data:"))]
    assert outside == []
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in page_of(reported).partition("</style>")[0]


def test_the_page_tells_neither_time_nor_machine(reported: Path) -> None:
    page = unquote(page_of(reported))
    assert not re.search(r"20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d", page)
    assert socket.gethostname() not in page
    assert str(reported) not in page


def test_every_figure_is_an_svg_that_can_be_read(reported: Path) -> None:
    drawn = list(figures(page_of(reported)))
    assert len(drawn) == 6 + 5 + 3  # cross has one method only and thus no figure of methods
    for svg in drawn:
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_the_page_shows_the_headline_and_what_was_run(reported: Path) -> None:
    page = page_of(reported)
    with (reported / "plots" / "conditions.csv").open() as file:
        clean = next(row for row in csv.DictReader(file) if row["level"] == "video" and row["condition"] == "clean")
    assert f"{float(clean['auc']):.3f} ({float(clean['auc_low']):.3f} to {float(clean['auc_high']):.3f})" in page
    for text in (
        "efficientnet_b0",
        "resamples: 100",
        "no face found (2)",
        "torch ",
        "skin tone: V-VI",
        "NeuralTextures",
    ):
        assert text in page


def test_names_that_come_from_data_are_escaped_everywhere(
    editable_scores: Path, curve_root: Path, tmp_path: Path
) -> None:
    evil = "<img src=x onerror=alert(1)>&$x^$|'\""
    for path in [*editable_scores.rglob("frames.csv"), *editable_scores.rglob("videos.csv")]:
        with path.open() as file:
            rows = list(csv.reader(file))
        spoilt = [
            [cell.replace("Face2Face", evil).replace("V-VI", evil).replace("no face", evil) for cell in row]
            for row in rows
        ]
        with path.open("w") as file:
            csv.writer(file).writerows(spoilt)
    for path in editable_scores.rglob("control.csv"):
        path.write_text("\n".join(line for line in path.read_text().splitlines() if "Face2Face" not in line))
    page = page_of(run_report(tmp_path, editable_scores, curve_root))
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&amp;$x^$|") >= 4
    assert any("onerror" in "".join(ElementTree.fromstring(svg).itertext()) for svg in figures(page))


def test_one_role_and_one_condition_are_enough(editable_scores: Path, curve_root: Path, tmp_path: Path) -> None:
    frames = editable_scores / "baseline_train" / "frames.csv"
    header, *rows = frames.read_text().splitlines()
    frames.write_text("\n".join([header, *(row for row in rows if row.startswith("clean,")), ""]))
    page = page_of(run_report(tmp_path, editable_scores, curve_root, cross=False))
    assert "cross-dataset" not in page
    assert "No other condition is harder" in page


def test_a_handful_of_videos_gives_numbers_without_intervals(
    editable_scores: Path, curve_root: Path, tmp_path: Path
) -> None:
    for path in (editable_scores / "baseline_train").glob("*.csv"):
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *(row for row in rows if re.search(r"/0(50|51)", row)), ""]))
    run_report(tmp_path, editable_scores, curve_root, cross=False)
    assert (tmp_path / "metrics" / "intervals.json").read_text() == "{}\n"
    assert re.search(r"\| clean \| \d\.\d{3} \| \d\.\d{3} \|", (tmp_path / "plots" / "results.md").read_text())
    assert "1 independent group of people" in page_of(tmp_path)


def test_a_telling_file_size_is_announced_at_the_top(editable_scores: Path, curve_root: Path, tmp_path: Path) -> None:
    videos = editable_scores / "baseline_train" / "videos.csv"
    videos.write_text(re.sub(r"(,1,test,.*?),(\d+),8,8,", r"\1,9\2,8,8,", videos.read_text()))
    page = page_of(run_report(tmp_path, editable_scores, curve_root, cross=False))
    summary = page.partition('id="baseline_train"')[0]
    assert re.search(r"file size alone\s+reaches\s+an AUC of 1.000\. A forged face takes another number", summary)


def test_a_leak_is_a_warning_at_the_top(editable_scores: Path, curve_root: Path, tmp_path: Path) -> None:
    folder = editable_scores / "baseline_train"
    fakes = {line.split(",")[0] for line in (folder / "videos.csv").read_text().splitlines() if ",1,test," in line}
    lines = (folder / "control.csv").read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    leaking = [",".join([*row[:-1], "5.0" if row[1] in fakes else "-5.0"]) for row in cells]
    (folder / "control.csv").write_text("\n".join([lines[0], *leaking]) + "\n")
    page = page_of(run_report(tmp_path, editable_scores, curve_root, cross=False))
    summary = page.partition('id="baseline_train"')[0]
    assert re.search(r'class="warn".*a detector that sees no face reaches.*differ outside the face', summary)


def test_results_table_has_a_line_for_each_condition_of_each_dataset(reported: Path) -> None:
    lines = (reported / "plots" / "results.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("**")] == [
        "**baseline, in-domain (ffpp)**: 52 real and 104 fake test videos",
        "**baseline, cross-dataset (celebdf)**: 69 real and 48 fake test videos",
    ]
    assert sum(line.startswith("| H.264 CRF 40 |") for line in lines) == 2
    assert sum(line.startswith("| *control: face masked out* | 0.5") for line in lines) == 2
    assert {line.count("|") for line in lines if line.startswith("|")} == {6}


def test_missing_training_curves_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no training curves.*dvc repro"):
        read_training_curves(tmp_path)


def test_a_curve_of_another_shape_is_named(curve_root: Path, tmp_path: Path) -> None:
    shutil.copytree(curve_root / "baseline", tmp_path, dirs_exist_ok=True)
    (tmp_path / "plots" / "metrics" / "val" / "auc.tsv").write_text("step\tloss\n0\t1\n")
    with pytest.raises(DataError, match=r"auc\.tsv: not a curve"):
        read_training_curves(tmp_path)


def test_a_model_without_curves_is_named(score_root: Path, curve_root: Path, tmp_path: Path) -> None:
    shutil.copytree(score_root / "baseline_train", tmp_path / "scores" / "other_train")
    with pytest.raises(DataError, match=r"other.*no training curves"):
        run_report(tmp_path, tmp_path / "scores", curve_root, cross=False)
