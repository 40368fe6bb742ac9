"""Whatever params.yaml, manifests, split files and tables hold: a result, or one line that names the file."""

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from crop_folders import face_video
from fuzzing import assert_one_line, damaged, fuzz
from hypothesis import example, given
from hypothesis import strategies as st

from deepfake.datasets import find_videos
from deepfake.datasets.undo import read_undo
from deepfake.errors import DataError, SettingsError
from deepfake.params import DatasetParams, load_params
from deepfake.records import FaceBox, FaceVideo, FrameScore
from deepfake.tables import read_rows, write_rows

Layout = Literal["ffpp", "celebdf", "manifest"]
DEFAULT = (Path(__file__).parents[2] / "params.yaml").read_text()
HUGE = int("9" * 4000)
ODD_TEXTS = st.sampled_from(
    ["4/0", "1/" + "9" * 5000, "9" * 4000 + "/1", "0x" + "f" * 9000, "8 / 255", "１/２", "١/٢", "1e999", "-0", ".nan",
     ".inf", "𝟠", "\u202e", "a\nb", "\x1b[31m", "../..", "/etc/passwd", "a\x00b", "a" * 5000, "null", "on", "~", "=",
     "!!int ''", "2001-99-99", "[" * 3000, "{" * 300, "&a [*a]", "*a", "!!python/object/apply:os.system [id]"]
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.just(HUGE), st.floats(), st.text(max_size=20), ODD_TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=4,
)


def leaves(values: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(values, dict):
        return [path]
    return [path, *(leaf for key, inner in values.items() for leaf in leaves(inner, (*path, key)))]


KEYS = re.findall(r"^ *(\w+):", DEFAULT, flags=re.MULTILINE)
PLACES = [place for place in leaves(yaml.safe_load(DEFAULT)) if place]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


CHANGES = st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "drop", "add"]), VALUES)


@fuzz(40)
@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
def test_any_value_anywhere_is_settings_or_one_line(
    path: Path, changes: list[tuple[tuple[str, ...], str, Any]]
) -> None:
    values = yaml.safe_load(DEFAULT)
    for (*above, key), change, value in changes:
        section = values
        for part in above:
            section = section[part] if isinstance(section, dict) and part in section else {}
        if not isinstance(section, dict):
            continue
        if change == "set":
            section[key] = value
        elif change == "add":
            section[f"{key}s"] = value
        else:
            section.pop(key, None)
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    assert_one_line(lambda: load_params(path), "params.yaml")


@fuzz(50)
@given(key=st.sampled_from(KEYS), text=st.one_of(ODD_TEXTS, st.text(max_size=30)))
@example("seed", "!!int ''")
@example("seed", "2001-99-99")
@example("seed", "[" * 3000)
@example("seed", "0x" + "f" * 9000)
@example("eps", "0x" + "f" * 9000)
@example("eps", "9" * 4000 + "/1")
@example("eps", "4/0")
def test_any_text_after_a_key_is_settings_or_one_line(path: Path, key: str, text: str) -> None:
    """As somebody types it: YAML decides what it is."""
    changed = re.sub(rf"^( *{key}:).*$", lambda match: f"{match[1]} {text}", DEFAULT, count=1, flags=re.MULTILINE)
    path.write_text(changed, encoding="utf-8", errors="surrogatepass")
    assert_one_line(lambda: load_params(path), "params.yaml")


@fuzz(25)
@given(damaged(DEFAULT.encode()))
def test_a_damaged_parameter_file_is_settings_or_one_line(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert_one_line(lambda: load_params(path), "params.yaml")


def test_aliases_that_grow_without_end_are_cut_short(path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)), "seed: *a39"]
    path.write_text(DEFAULT.replace("seed: 1\n", "\n".join(lines) + "\n"))
    with pytest.raises(SettingsError) as caught:
        load_params(path)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("seed", True, "seed: should not be true"), ("crops", {"size": True}, r"crops\.size: should not be true"),
     ("attack", {"eps": "4/0"}, r"attack\.eps: should be a budget")],
)  # fmt: skip
def test_a_wrong_kind_of_value_is_named(path: Path, key: str, value: Any, message: str) -> None:
    values = yaml.safe_load(DEFAULT)
    values[key] = {**values[key], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(SettingsError, match=message):
        load_params(path)


def test_a_parameter_file_that_is_a_folder_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(SettingsError, match=r"params\.yaml: Is a directory"):
        load_params(path)


NAMES = ["0.mp4", "1.mp4", "2.mp4", "fake0.mp4", "fake1.mp4", "link.mp4", "loop.mp4", "sub/0.mp4"]
CELLS = st.one_of(
    st.sampled_from(
        [*NAMES, "", "0", "1", "2", "train", "val", "test", "video", "image", "crop", "p0;p1", ";", "../0.mp4",
         "/dev/zero", "sub/../../x", ".", "..", "\x00", "a\rb", "a\nb", "\u202e", "\ud800", "no/" + "x" * 300,
         "x" * 5000 + "/0.mp4", "-1", "0.0", "０", "é.mp4", "http://127.0.0.1/a.mp4"]
    ),
    st.text(max_size=8),
)  # fmt: skip
COLUMNS = ["path", "label", "video", "method", "identities", "source", "split", "kind", "skin_tone", "light", "path"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in NAMES:
        if name not in ("link.mp4", "loop.mp4"):
            (tmp_path / name).touch()
    (tmp_path / "link.mp4").symlink_to("/etc/passwd")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    return tmp_path


def write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def check(root: Path, layout: Layout, role: str) -> None:
    """find_videos gives records that can be written and read back, or one line."""
    params = DatasetParams(layout=layout, root=str(root))
    records = assert_one_line(lambda: find_videos(params, role=role))
    if records is None:
        return
    assert len({record.key for record in records}) == len(records)
    assert all(record.path.is_relative_to(root) and ".." not in record.path.parts for record in records)
    splits = {(identity.cluster, identity.split) for identity in records}
    assert len(splits) == len({cluster for cluster, _ in splits}), "one person in two splits"
    rows = [face_video(str(record.key), cluster=record.cluster) for record in records]
    write_rows(root / "out.csv", FaceVideo, rows)
    assert read_rows(root / "out.csv", FaceVideo) == rows


@fuzz(250)
@given(
    columns=st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=8),
    rows=st.lists(st.lists(CELLS, max_size=9), max_size=6),
    role=st.sampled_from(["train", "cross"]),
)
@example(["path", "label"], [["no/" + "x" * 300 + "/0.mp4", "0"]], "train")
@example(["path", "label"], [["\x00/0.mp4", "0"]], "train")
@example(["path", "label"], [[".", "0"]], "train")
@example(["path", "label", "label"], [["0.mp4", "0", "1"]], "train")
@example(["path", "label", "video"], [["0.mp4", "0", "a\rb"], ["1.mp4", "1", "b"]], "cross")
@example(["path", "label"], [["0.mp4", "0"], ["link.mp4", "1"]], "cross")
@example(["path", "label"], [["0.mp4", "x" * 5000]], "train")
def test_any_manifest_is_read_or_refused_in_one_line(
    root: Path, columns: list[str], rows: list[list[str]], role: str
) -> None:
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in [columns, *rows]]
    write_text(root / "manifest.csv", "\n".join(",".join(row) for row in quoted))
    check(root, "manifest", role)


@fuzz(60)
@given(damaged(("path,label,source\n" + "".join(f"{n},0,{n}\nfake{n},1,{n}\n" for n in ("0.mp4", "1.mp4"))).encode()))
def test_a_damaged_manifest_is_read_or_refused_in_one_line(root: Path, data: bytes) -> None:
    (root / "manifest.csv").write_bytes(data)
    check(root, "manifest", "cross")


@pytest.mark.parametrize("manifest", ["../manifest.csv", "/etc/passwd", "", ".", "a\x00b", "x" * 300])
def test_a_manifest_is_only_looked_for_below_the_root(root: Path, manifest: str) -> None:
    with pytest.raises(DataError) as caught:
        find_videos(DatasetParams(layout="manifest", root=str(root), manifest=manifest), role="train")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a" * 300, "a\x00b", "a\nb"])
@pytest.mark.parametrize("layout", ["ffpp", "celebdf", "manifest"])
def test_an_impossible_root_is_named(layout: Layout, name: str) -> None:
    params = DatasetParams(layout=layout, root=name)
    assert assert_one_line(lambda: find_videos(params, role="train"), "no such folder") is None


IDS = st.one_of(st.sampled_from([f"00{n}" for n in range(6)]), st.text(max_size=3), st.integers(), st.none())
SPLITS = st.one_of(st.lists(st.lists(IDS, max_size=3), max_size=4), VALUES)


@fuzz(80)
@given(
    files=st.fixed_dictionaries(dict.fromkeys(("train", "val", "test"), SPLITS)),
    role=st.sampled_from(["train", "cross"]),
)
def test_any_split_files_are_read_or_refused_in_one_line(ffpp: Path, files: dict[str, Any], role: str) -> None:
    for name, content in files.items():
        write_text(ffpp / "splits" / f"{name}.json", json.dumps(content))
    check(ffpp, "ffpp", role)


@fuzz(60)
@given(data=damaged(b'[["000", "001"], ["002", "003"]]'))
def test_a_damaged_split_file_is_read_or_refused_in_one_line(ffpp: Path, data: bytes) -> None:
    (ffpp / "splits" / "train.json").write_bytes(data)
    check(ffpp, "ffpp", "train")


@fuzz(80)
@given(data=damaged(b"1 Celeb-real/id0_0000.mp4\n1 YouTube-real/00002.mp4\n0 Celeb-synthesis/id1_id0_0000.mp4\n"))
def test_a_damaged_test_list_is_read_or_refused_in_one_line(celebdf: Path, data: bytes) -> None:
    (celebdf / "List_of_testing_videos.txt").write_bytes(data)
    check(celebdf, "celebdf", "cross")


@pytest.mark.parametrize("layout", ["ffpp", "celebdf"])
def test_a_list_that_is_a_folder_is_named(layout: Layout, ffpp: Path, celebdf: Path) -> None:
    path = (ffpp / "splits" / "val.json") if layout == "ffpp" else (celebdf / "List_of_testing_videos.txt")
    path.unlink()
    path.mkdir()
    params = DatasetParams(layout=layout, root=str(ffpp))  # one folder holds both datasets
    with pytest.raises(DataError, match=f"{path.name}: .*[Ii]s a directory"):
        find_videos(params, role="train" if layout == "ffpp" else "cross")


@pytest.mark.parametrize("name", [b"a\xff.mp4", b"a\rb.mp4", b"a\x1bb.mp4"])
def test_a_file_name_that_cannot_stand_in_a_table_is_named(celebdf: Path, name: bytes) -> None:
    (celebdf / "YouTube-real" / Path(name.decode("utf-8", "surrogateescape"))).touch()
    with pytest.raises(DataError, match="has control characters or is not UTF-8") as caught:
        find_videos(DatasetParams(layout="celebdf", root=str(celebdf)), role="train")
    assert str(caught.value).isprintable()


@fuzz(60)
@given(data=damaged(b"method,video,light,undo_8\noriginal,000,dim,0.5\nFaceSwap,000_001,lit,\n"))
@example(b"method,video,undo_" + b"9" * 5000 + b"\na,b,0.5\n")
def test_damaged_attributes_are_read_or_refused_in_one_line(ffpp: Path, data: bytes) -> None:
    (ffpp / "attributes.csv").write_bytes(data)
    check(ffpp, "ffpp", "train")
    assert_one_line(lambda: read_undo(ffpp / "attributes.csv"), "attributes.csv")


@fuzz(120)
@given(row_type=st.sampled_from([FaceVideo, FaceBox, FrameScore]), data=st.data())
def test_a_damaged_table_is_read_or_refused_in_one_line(tmp_path: Path, row_type: type, data: st.DataObject) -> None:
    rows = {FaceVideo: face_video("a/original/0"), FaceBox: FaceBox("a/original/0", 0, 1, 1.5, 2.5, 3.0, 4.0, 0.99),
            FrameScore: FrameScore("clean", "a/original/0", 0, 1, -0.5)}  # fmt: skip
    path = tmp_path / "table.csv"
    write_rows(path, row_type, [rows[row_type]] * 3)
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    assert_one_line(lambda: read_rows(path, row_type), "table.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [("condition,video,clip,frame,logit\nclean,a,0,1\n", "line 2: not 5 cells"),
     ("condition,video,clip,frame,logit\nclean,a,0,1,2,3\n", "line 2: not 5 cells"),
     ("condition,video,clip,frame,logit,logit\nclean,a,0,1,2,3\n", "columns"),
     ("condition,video,clip,frame,logit\nclean,a,zero,1,2\n", "line 2: .*zero")],
)  # fmt: skip
def test_a_row_that_does_not_fit_its_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path / "table.csv", FrameScore)
