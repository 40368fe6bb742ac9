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

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread
from reporting.made_up import STRENGTH, keep_lines, rename_in_tables, write_explanations
from reporting.made_up import conditions as conditions_of_scores
from reporting.running import run_report

from deepfake.errors import DataError
from deepfake.reporting.drawing import model_color
from deepfake.reporting.training_curves import read_training_curves, read_trainings

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


@pytest.fixture(scope="module")
def reported(score_root: Path, input_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_report(tmp_path_factory.mktemp("reported"), score_root, input_root)


@pytest.fixture
def few_scores(editable_scores: Path) -> Path:
    """The train folders of both models under a few conditions, so that a report of them is quick."""
    for path in editable_scores.glob("*_train/frames.csv"):
        keep_lines(path, r"(clean|unet_both|jpeg50|unet_jpeg50),")
    return editable_scores


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
    conditions = [name for name in conditions_of_scores() if "both" not in name]
    conditions += ["worst", "worst_jpeg50", "worst_h264_crf23"]
    sets = [f"{model}_{role}" for model in STRENGTH for role in ("train", "cross")]
    curves = {f"plots/curves/{kind}/{name}.csv" for kind in ("auc", "methods", "reliability", "eps") for name in sets}
    roc = {f"plots/curves/roc/{name}/{condition}.csv" for name in sets for condition in conditions}
    tables = {
        f"plots/{name}" for name in ("conditions.csv", "comparison.csv", "results.md", "summary.md", "report.html")
    }
    drawn = {f"plots/figures/{role}/{name}.png" for role in ("train", "cross") for name in ("roc", "eps")}
    assert names == curves | roc | tables | drawn | {"metrics/headline.json", "metrics/intervals.json"}


def test_the_same_scores_in_another_order_give_the_same_bytes_but_for_their_hash(
    few_scores: Path, input_root: Path, tmp_path: Path
) -> None:
    for path in few_scores.glob("*_train/frames.csv"):
        keep_lines(path, "(clean|unet_jpeg50),")
    first = outputs(run_report(tmp_path, few_scores, input_root, cross=False))
    order = conditions_of_scores()
    for path in few_scores.rglob("frames.csv"):
        header, *rows = path.read_text().splitlines()
        shuffled = sorted(sorted(rows, reverse=True), key=lambda row: order.index(row.partition(",")[0]))
        path.write_text("\n".join([header, *shuffled, ""]))
    again = outputs(run_report(tmp_path, few_scores, input_root, cross=False))
    pages = [written.pop("plots/report.html") for written in (first, again)]
    assert again == first
    assert re.sub(rb"\w{32}\.dir", b"", pages[0]) == re.sub(rb"\w{32}\.dir", b"", pages[1])


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
    each_role = 3 + 4 + 3 * 2  # of all models together, ROC by group, of each model
    assert len(drawn) == 2 * each_role + 7
    for svg in drawn:
        assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_every_figure_file_is_a_png_that_shows_its_curves_and_tells_no_version(reported: Path) -> None:
    for path in (reported / "plots" / "figures").rglob("*.png"):
        pixels = imread(path)
        assert {model_color(model) for model in STRENGTH} <= colors_of(pixels), path
        assert b"Software" not in path.read_bytes()


def colors_of(pixels: np.ndarray) -> set[str]:
    """Every colour of a picture, as `#rrggbb`."""
    return {to_hex(color) for color in np.unique(pixels[..., :3].reshape(-1, 3), axis=0)}


def test_the_page_shows_the_headline_and_what_was_run(reported: Path) -> None:
    page = page_of(reported)
    with (reported / "plots" / "comparison.csv").open() as file:
        pair = next(r for r in csv.DictReader(file) if (r["condition"], r["metric"]) == ("unet_jpeg50", "auc"))
    (line,) = re.findall('<tr><th scope="row">U-Net, then JPEG quality 50</th>.*', summary_of(page, "in-domain"))
    assert f"<td>{float(pair['before']):.3f}<small>" in line
    assert re.search(
        rf'<td>\+{float(pair["difference"]):.3f}<small>[^<]* to [^<]*</small><small><span class="better">', line
    )
    for text in (
        "efficientnet_b0",
        "resamples: 100",
        "at most 8/255",
        "no face found (2)",
        "torch ",
        "skin tone: V-VI",
        "NeuralTextures",
        "U-Net on robust",
        "Deepfakes, face 1",
        "Robust training against plain longer training",
    ):
        assert text in page
    assert len(page) < 6_000_000


def test_the_page_tells_what_the_robust_model_has_before_its_control(reported: Path) -> None:
    page = page_of(reported)
    assert "Longer is the control: it goes on from there for as many steps and nobody attacks it" in page
    summary = summary_of(page, "in-domain")
    assert re.search(r"ranks fakes above reals better than the baseline in \d+", summary)
    assert re.search(r"ranks fakes above reals better than longer in \d+", summary)
    with (reported / "plots" / "comparison.csv").open() as file:
        found = {(r["role"], r["condition"], r["metric"], r["reference"]): r for r in csv.DictReader(file)}
    (line,) = re.findall('<tr><th scope="row">U-Net, then JPEG quality 50</th>.*', summary)
    for reference in ("baseline", "longer"):
        assert f"<td>+{float(found['train', 'unet_jpeg50', 'auc', reference]['difference']):.3f}<small>" in line


def summary_of(page: str, role: str) -> str:
    """What the summary says of one dataset."""
    return page.partition(f"<h4>{role}")[2].partition("<h4>")[0].partition("<h3>")[0]


def test_raised_checks_are_a_warning_at_the_top_and_listed(reported: Path) -> None:
    summary, _, rest = page_of(reported).partition('id="run"')
    assert re.search(r'class="warn">2 checks for masked gradients raised a flag on the robust model', summary)
    assert rest.count('<span class="warn">0.0312 raised</span>') == 2
    assert "2 of 18 raised a flag: crops without a gradient" in (reported / "plots" / "results.md").read_text()


def test_panels_are_embedded(reported: Path) -> None:
    panels = [link for link in Page(page_of(reported)).links if link.startswith("data:image/png;base64,")]
    assert len(panels) == 4 + 1 + 2


def test_names_that_come_from_data_are_escaped_everywhere(few_scores: Path, input_root: Path, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>&$x^$|'\""
    inputs = Path(shutil.copytree(input_root, tmp_path / "inputs"))
    tables = [*few_scores.glob("*_train/*.csv"), *inputs.glob("explain/train/faces.csv")]
    rename_in_tables(tables, ("Face2Face", "V-VI", "no face", "noise_wins", "jpeg50"), evil)
    rename_in_tables(few_scores.glob("*_train/perturbations.csv"), ("unet",), evil)
    (inputs / "gradcam/train/01_Deepfakes.png").rename(inputs / "gradcam/train/01_<img src=x>.png")
    page = page_of(run_report(tmp_path, few_scores, inputs, cross=False))
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&amp;$x^$|") >= 8
    assert "&lt;img src=x&gt;, face 1" in page
    assert any("onerror" in "".join(ElementTree.fromstring(svg).itertext()) for svg in figures(page))


@pytest.fixture(scope="module")
def tiny(score_root: Path, input_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of one model on one dataset under one condition, on the videos of two people."""
    folder = tmp_path_factory.mktemp("tiny")
    inputs = Path(shutil.copytree(input_root, folder / "inputs"))
    scores = Path(shutil.copytree(score_root / "baseline_train", folder / "scores" / "baseline_train")).parent
    keep_lines(scores / "baseline_train" / "frames.csv", "clean,")
    for name in ("videos", "frames", "faceless", "eps_curve", "perturbations"):
        keep_lines(scores / "baseline_train" / f"{name}.csv", ".*/0(50|51)")
    write_explanations(inputs / "explain", scores)
    return run_report(folder, scores, inputs, cross=False)


def test_one_role_one_model_and_one_condition_are_enough(tiny: Path) -> None:
    page = page_of(tiny)
    assert "cross-dataset" not in page
    assert "nothing to compare" in page
    assert "Both classes attacked" not in page


def test_a_handful_of_videos_gives_numbers_without_intervals(tiny: Path) -> None:
    assert (tiny / "metrics" / "intervals.json").read_text() == "{}\n"
    assert re.search(r"\| clean \| \d\.\d{3} \| \d\.\d{3} \|", (tiny / "plots" / "results.md").read_text())
    assert "1 independent group of people" in page_of(tiny)


@pytest.fixture(scope="module")
def troubled(score_root: Path, input_root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page for data whose classes differ in file size and outside the face, and that know no masks."""
    folder = tmp_path_factory.mktemp("troubled")
    inputs, scores = (Path(shutil.copytree(path, folder / path.name)) for path in (input_root, score_root))
    for path in scores.glob("*_train"):
        keep_lines(path / "frames.csv", "(clean|unet),")
        videos = (path / "videos.csv").read_text()
        (path / "videos.csv").write_text(re.sub(r"(,1,test,.*?),(\d+),4,4,", r"\1,9\2,4,4,", videos))
        fakes = {line.split(",")[0] for line in videos.splitlines() if ",1,test," in line}
        header, *lines = (path / "faceless.csv").read_text().splitlines()
        cells = [line.split(",") for line in lines]
        leaking = [",".join([*row[:-1], "5.0" if row[1] in fakes else "-5.0"]) for row in cells]
        (path / "faceless.csv").write_text("\n".join([header, *leaking, ""]))
    write_explanations(inputs / "explain", scores, masks=False)
    return page_of(run_report(folder, scores, inputs, cross=False))


def test_a_telling_file_size_is_announced_at_the_top(troubled: str) -> None:
    summary = troubled.partition('id="run"')[0]
    assert re.search(r"File size alone\s+reaches\s+an AUC of 1.000\. A forged face takes another number", summary)


def test_a_leak_is_a_warning_at_the_top(troubled: str) -> None:
    summary = troubled.partition('id="run"')[0]
    assert re.search(r'class="warn".*detector that sees no face reaches.*differ outside the face', summary)


def test_without_masks_the_overlap_is_a_dash(troubled: str) -> None:
    table = troubled.partition("What the detectors look at")[2].partition("</table>")[0]
    assert table.count("<td>–</td>") == 15
    assert ">nan" not in troubled


def test_results_have_one_table_a_dataset_with_both_models(reported: Path) -> None:
    lines = (reported / "plots" / "results.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("**")] == [
        "**in-domain (ffpp)**: 52 real and 104 fake test videos",
        "**cross-dataset (celebdf)**: 69 real and 48 fake test videos",
    ]
    head = "| condition | baseline AUC | longer AUC | robust AUC | baseline TPR at 1 % FPR | longer TPR at 1 % FPR |"
    assert sum(line.startswith(head) for line in lines) == 2
    assert sum(line.startswith("| worst case, then H.264 CRF 23 |") for line in lines) == 2
    assert sum(line.startswith("| U-Net, both classes |") for line in lines) == 2
    assert sum("a detector that never saw a face 0." in line for line in lines) == 2
    tables = "\n".join(lines).split("\n\n")
    widths = [{line.count("|") for line in table.splitlines()} for table in tables if table.startswith("|")]
    assert widths == [{11}, {8}, {10}, {8}, {8}, {6}, {11}, {8}, {10}, {8}, {8}], "undo shares are stated of train only"


def test_results_go_from_compression_over_attacks_to_the_worst_case(reported: Path) -> None:
    text = (reported / "plots" / "results.md").read_text()
    first = text.partition("AUC without")[0]
    order = ["clean", "H.264 CRF 40", "PGD", "U-Net", "+ APGD", "PGD, then JPEG quality 50",
             "adaptive PGD, then H.264 CRF 23", "worst case", "worst case, then H.264 CRF 23"]  # fmt: skip
    places = [first.index(f"\n| {name} |") for name in order]
    assert places == sorted(places)


def test_results_state_the_worst_case_by_budget_with_paired_differences(reported: Path) -> None:
    text = (reported / "plots" / "results.md").read_text()
    assert "| robust worst-case AUC | worst-case AUC, robust − baseline | worst-case AUC, robust − longer |" in text
    with (reported / "plots" / "comparison.csv").open() as file:
        pair = next(r for r in csv.DictReader(file) if (r["condition"], r["metric"]) == ("worst_eps2", "auc"))
    (line,) = re.findall(r"^\| 2/255 \|.*", text.partition("**cross")[0], re.MULTILINE)
    assert f"| {float(pair['before']):.3f} (" in line
    assert f"| +{float(pair['difference']):.3f} (" in line


def test_results_and_page_say_how_hard_the_models_were_attacked(reported: Path) -> None:
    sentence = (
        "Attacks of the profile quick: PGD (10 steps); on frames of fakes that still stand, APGD (25 steps); the "
        "fitted U-Net; adaptive PGD (10 steps more, through the codec that follows); all test videos."
    )
    assert sentence in (reported / "plots" / "results.md").read_text()
    assert page_of(reported).count(sentence) == 3


def test_what_can_be_undone_is_told_by_method_where_it_is_stated(reported: Path) -> None:
    text = (reported / "plots" / "results.md").read_text()
    line = "| NeuralTextures, {} fakes | 5.0\u00a0% | 10.0\u00a0% | 20.0\u00a0% | 40.0\u00a0% |"
    assert re.search(line.replace("|", r"\|").format(r"\d+"), text)
    assert "Celeb-synthesis, " not in text
    assert page_of(reported).count("What cannot be won") == 1


def test_missing_training_curves_are_named(tmp_path: Path) -> None:
    for read in (read_training_curves, read_trainings):
        with pytest.raises(DataError, match=r"no training curves.*dvc repro"):
            read(tmp_path)


def test_only_what_was_trained_is_read(curve_root: Path, tmp_path: Path) -> None:
    for name in ("attacker_robust", "baseline"):
        shutil.copytree(curve_root / name, tmp_path / name)
    assert list(read_trainings(tmp_path)) == ["baseline", "attacker_robust"]


def test_a_curve_of_another_shape_is_named(curve_root: Path, tmp_path: Path) -> None:
    shutil.copytree(curve_root / "baseline", tmp_path, dirs_exist_ok=True)
    (tmp_path / "plots" / "metrics" / "val" / "auc.tsv").write_text("step\tloss\n0\t1\n")
    with pytest.raises(DataError, match=r"auc\.tsv: not a curve"):
        read_training_curves(tmp_path)
