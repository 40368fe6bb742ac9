"""The page as a browser shows it, on a desk and on a phone: nothing cut off, missing, fetched or complained about."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from reporting.chromium import Browser, Shown, chromium, find_chromium
from reporting.made_up import keep_lines, rename_in_tables
from reporting.running import ROOT, run_report

WIDTHS = (1280, 390)
EVIL = "<img src=x onerror=console.error(1)>&" + "W" * 100
EVIL_ROOT = f"/data/<script>console.error(2)</script>/{'w' * 200}"

pytestmark = pytest.mark.skipif(not find_chromium(), reason="no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(str(find_chromium()), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def hostile(score_root: Path, input_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page for data whose every name is markup, a script or far too long."""
    folder = tmp_path_factory.mktemp("hostile")
    scores, inputs = (Path(shutil.copytree(path, folder / path.name)) for path in (score_root, input_root))
    for table in scores.glob("*_train/frames.csv"):
        keep_lines(table, r"(clean|unet_both|jpeg50|unet_jpeg50),")
    tables = [*scores.glob("*_train/*.csv"), *inputs.glob("explain/train/*.csv")]
    rename_in_tables(tables, ("ffpp", "Face2Face", "V-VI", "dim", "noise_wins", "jpeg50"), EVIL)
    (inputs / "gradcam/train/01_Deepfakes.png").rename(inputs / f"gradcam/train/01_{EVIL}.png")
    for model in (f"<b>{'m' * 80}", "robust"):
        shutil.copytree(scores / "baseline_train", scores / f"{model}_train", dirs_exist_ok=True)
        shutil.copy(inputs / "models/baseline.pt", inputs / f"models/{model}.pt")
    return run_report(folder, scores, inputs, cross=False, root=EVIL_ROOT) / "plots" / "report.html"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_committed_page_is_whole(browser: Browser, width: int) -> None:
    page = ROOT / "plots" / "report.html"
    if not page.exists():
        pytest.skip("no results yet: run `make repro`")
    assert_whole(browser.show(page, width=width))


@pytest.mark.parametrize("width", WIDTHS)
def test_no_name_breaks_the_page_or_runs_in_it(browser: Browser, hostile: Path, width: int) -> None:
    assert "&lt;script&gt;console.error(2)" in hostile.read_text()
    assert_whole(browser.show(hostile, width=width))


def test_what_is_wrong_with_a_page_is_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><body>'
        '<div style="width: 500px">wide</div><div style="overflow-x: auto"><p style="width: 500px">in a box</p></div>'
        f'<p style="width: 20px">{"w" * 30}</p><img src="absent.png" alt="gone"><script>undefined.x</script>'
    )
    shown = browser.show(page, width=390)
    assert [text.partition(">")[2] for text in shown.layout["cut"]] == ["wide</div> … wide"]
    assert len(shown.layout["overflowing"]) == 1
    assert shown.layout["missing"] == ["gone"]
    assert shown.requests == [(tmp_path / "absent.png").as_uri()]
    assert len(shown.errors) == 2, "the picture that was not found, and the exception"


def assert_whole(shown: Shown) -> None:
    assert shown.layout["cut"] == [], "wider than the window, and in no box that scrolls"
    assert shown.layout["overflowing"] == [], "text sticks out of its box"
    assert shown.layout["scrollWidth"] <= shown.layout["width"]
    assert shown.layout["images"] > 10
    assert shown.layout["missing"] == []
    assert shown.requests == []
    assert shown.errors == []
