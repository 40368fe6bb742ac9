"""Files of others that the stages open: checkpoints, shards and their tables. Nothing in them runs, nothing lies."""

import io
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import random_checkpoint
from crop_folders import write_crop_folder
from fuzzing import assert_one_line, damaged, fuzz
from hypothesis import given
from hypothesis import strategies as st
from toy_project import Project

from deepfake.attacks.learned import load_attacker, save_attacker
from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.shards import open_crops
from deepfake.detector.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from deepfake.errors import CheckpointError, DataError

CPU = torch.device("cpu")


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch exploded",)


def rezipped(path: Path, replace: Callable[[str, bytes], bytes], packing: int = zipfile.ZIP_STORED) -> None:
    """Change the records of a checkpoint in its ZIP file."""
    with zipfile.ZipFile(path) as archive:
        records = {name: replace(name.rpartition("/")[2], archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in records.items():
            archive.writestr(name, data)


def bomb_inside(path: Path) -> None:
    rezipped(path, lambda name, data: pickle.dumps({"format": Bomb()}, 2) if name == "data.pkl" else data)


def shortened_tensor(path: Path) -> None:
    rezipped(path, lambda name, data: data[:8] if name == "0" else data)


def packed_tensor(path: Path) -> None:
    rezipped(path, lambda name, data: bytes(2**26) if name == "0" else data, zipfile.ZIP_DEFLATED)


def claimed_gigabytes(path: Path) -> None:
    """The ZIP's directory says that the first tensor has 4 GB."""
    data, place = bytearray(path.read_bytes()), -1
    while not data[place + 46 :].startswith(b"archive/data/0") or place < 0:
        place = data.index(b"PK\x01\x02", place + 1)
    data[place + 20 : place + 28] = struct.pack("<II", 2**32 - 16, 2**32 - 16)
    path.write_bytes(data)


def with_content(**changes: Any) -> Callable[[Path], None]:
    """Replace entries of a checkpoint; a dictionary is merged into what is there."""

    def change(path: Path) -> None:
        content = torch.load(path, weights_only=True)
        for name, value in changes.items():
            content[name] = {**content[name], **value} if isinstance(value, dict) else value
        torch.save(content, path)

    return change


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_checkpoint(tmp_path / "m.pt", random_checkpoint())
    return tmp_path / "m.pt"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(pickle.dumps({"format": Bomb()})), "not a checkpoint"),
        (bomb_inside, "cannot|Weights only load failed"),
        (shortened_tensor, "record size"),
        (claimed_gigabytes, "records are larger than the file"),
        (with_content(detector={"dim": 10**9}), "less than or equal to 2048"),
        (with_content(detector={"dims": 16}), "Extra inputs"),
        (with_content(crops={"size": 10**9}), "less than or equal to 512"),
        (with_content(crops={"margin": float("nan")}), "margin"),
        (with_content(format="deepfake-attacker-1"), "not a deepfake-detector-1 file"),
        (with_content(calibration={"slope": 1.0}), "slope"),
        (packed_tensor, "compressed"),
        (with_content(detector={"backbone": "banana"}), "timm has no 'banana'"),
        (with_content(detector={"dim": 2048, "depth": 24}), "do not fit"),
        (with_content(weights={"head.logit.bias": torch.zeros(1).expand(2**40)}), "in one piece"),
        (with_content(weights={"head.logit.bias": torch.zeros(1).to_sparse()}), "no dense tensor"),
        (with_content(calibration={"temperature": "banana"}), "temperature"),
        (with_content(calibration={"temperature": 0.0}), "temperature"),
        (with_content(calibration={"video_threshold": float("nan")}), "video_threshold"),
        (with_content(training=5), "training"),
        (with_content(weights=5), "weights"),
        (with_content(weights={1: torch.zeros(1)}), "weights"),
        (with_content(weights={"head.logit.bias": torch.tensor([float("nan")])}), "finite"),
    ],
)  # fmt: skip
def test_a_hostile_checkpoint_is_refused_by_name_and_runs_nothing(
    checkpoint: Path, change: Callable[[Path], None], message: str
) -> None:
    change(checkpoint)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(checkpoint)
    assert str(checkpoint) in str(caught.value)
    assert not Path("exploded").exists()


def test_a_hostile_attacker_is_refused_by_name_and_runs_nothing(checkpoint: Path) -> None:
    bomb_inside(checkpoint)
    with pytest.raises(CheckpointError, match=r"m\.pt: not an attacker"):
        load_attacker(checkpoint, CPU)
    assert not Path("exploded").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 10**9}, "width"),
        ({"width": "8"}, "width"),
        ({"width": 256}, "do not fit"),
        ({"eps": float("nan")}, "eps"),
        ({"weights": {"out.bias": torch.full((24,), float("nan"))}}, "finite"),
    ],
)
def test_an_attacker_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    save_attacker(tmp_path / "u.pt", PerturbationUNet(8), 8 / 255)
    with_content(**changes)(tmp_path / "u.pt")
    with pytest.raises(CheckpointError, match=rf"u\.pt: damaged: .*{message}"):
        load_attacker(tmp_path / "u.pt", CPU)


def test_a_bomb_explodes_where_nothing_guards_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Bomb()))
    assert Path("exploded").exists()


def test_a_checkpoint_neither_fetches_nor_opens_the_weights_that_it_names(checkpoint: Path) -> None:
    with_content(detector={"weights": "/dev/zero"})(checkpoint)
    load_checkpoint(checkpoint).build(CPU)
    with_content(detector={"weights": None, "pretrained": True})(checkpoint)
    load_checkpoint(checkpoint).build(CPU)


def test_a_checkpoint_of_another_size_is_refused_before_the_memory_is_filled(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_content(detector={"dim": 1024, "heads": 16})(checkpoint)

    def reset(layer: torch.nn.Linear) -> None:
        assert layer.weight.device.type == "meta", "filled with numbers before the weights were compared with it"

    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", reset)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_checkpoint(checkpoint).build(CPU)


@fuzz(60)
@given(data=st.data())
def test_a_damaged_checkpoint_is_loaded_or_refused_in_one_line(checkpoint: Path, data: st.DataObject) -> None:
    path = checkpoint.with_name("damaged.pt")
    path.write_bytes(data.draw(damaged(checkpoint.read_bytes())))
    loaded = assert_one_line(lambda: load_checkpoint(path), "damaged.pt")
    assert loaded is None or isinstance(loaded, Checkpoint)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    return write_crop_folder(tmp_path / "crops", {"a/original/0": 2, "a/fake/1": 2})


def npy(shape: object, descr: str = "|u1", order: bool = False) -> bytes:
    """A .npy file of version 1 that claims a shape, with the pixels of four crops of 16x16."""
    head = repr({"descr": descr, "fortran_order": order, "shape": shape}).encode()
    head += b" " * (-(10 + len(head) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(4 * 16 * 16 * 3)


def npz() -> bytes:
    data = io.BytesIO()
    np.savez(data, pixels=np.zeros((4, 16, 16, 3), np.uint8))
    return data.getvalue()


SHARDS = {
    "pickle": pickle.dumps(Bomb()),
    "claims terabytes": npy((10**6, 1000, 1000, 3)),
    "objects": npy((4, 16, 16, 3), "|O"),
    "another version": b"\x93NUMPY\x09\x00" + bytes(100),
    "a header of gigabytes": b"\x93NUMPY\x03\x00" + struct.pack("<I", 2**31) + bytes(100),
    "fewer": npy((3, 16, 16, 3)),
    "other pixels": npy((2, 16, 16, 3), "<u2"),
    "empty": b"",
    "an archive": npz(),
    "a broken archive": b"PK\x03\x04junk",
    "a negative number": npy((-1, 16, 16, 3)),
    "a number beyond numbers": npy((10**30, 16, 16, 3)),
    "brackets": b"\x93NUMPY\x01\x00" + struct.pack("<H", 4000) + b"(" * 3999 + b"\n",
    "bytes left over": npy((4, 16, 16, 3)) + bytes(1000),
}


@pytest.mark.parametrize("content", SHARDS.values(), ids=SHARDS)
def test_a_hostile_shard_is_refused_by_name(crops: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(crops)
    (crops / "shard_000.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"shard_000\.npy|index\.csv"):
        open_crops(crops)
    assert not Path("exploded").exists()


TABLES = {
    "a row below zero": ("index.csv", ",0,0,2.0", ",0,-1,2.0"),
    "a row beyond the shard": ("index.csv", ",0,3,2.0", ",0,4,2.0"),
    "a shard that is not there": ("index.csv", ",0,0,2.0", ",7,0,2.0"),
    "a shard below zero": ("index.csv", ",0,0,2.0", ",-1,0,2.0"),
    "a video that is not there": ("index.csv", "a/fake/1", "a/fake/2"),
    "a crop that two rows claim": ("index.csv", "a/original/0,0,1,0,1", "a/original/0,0,1,0,0"),
    "a face that is no number": ("index.csv", "2.0,2.0", "nan,2.0"),
    "a label that is none": ("videos.csv", "video,1", "video,7"),
    "a video that is there twice": ("videos.csv", "a/fake/1,", "a/original/0,"),
    "a video without a name": ("videos.csv", "a/fake/1,", "fake,"),
    "a split that is none": ("videos.csv", ",train,", ",banana,"),
}


@pytest.mark.parametrize(("table", "old", "new"), TABLES.values(), ids=TABLES)
def test_tables_that_contradict_the_shards_are_refused_by_name(crops: Path, table: str, old: str, new: str) -> None:
    text = (crops / table).read_text()
    assert old in text
    (crops / table).write_text(text.replace(old, new))
    with pytest.raises(DataError, match=rf"{table}|shard_"):
        open_crops(crops)


@fuzz(60)
@given(data=st.data(), table=st.sampled_from(["index.csv", "videos.csv"]))
def test_damaged_tables_of_crops_are_read_or_refused_in_one_line(crops: Path, data: st.DataObject, table: str) -> None:
    whole = (crops / table).read_bytes()
    try:
        (crops / table).write_bytes(data.draw(damaged(whole)))
        opened = assert_one_line(lambda: open_crops(crops))
        assert opened is None or all(opened.pixels(row).shape == (16, 16, 3) for row in opened.rows)
    finally:
        (crops / table).write_bytes(whole)


GUARD = """
import os, socket
def refuse(*args, **_):
    with open(os.environ["ATTEMPTS"], "a") as file:
        print(args[1:] or args, file=file)
    raise OSError("no network here")
class Guarded(socket.socket):
    def connect(self, address):
        return refuse(self, address) if self.family != socket.AF_UNIX else super().connect(address)
    connect_ex = connect
socket.socket = Guarded
socket.getaddrinfo = refuse
"""


def test_no_stage_asks_the_network_for_anything(toy: Project, tmp_path: Path) -> None:
    project = toy.copy(tmp_path / "project")
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    guarded = {
        "PYTHONPATH": str(tmp_path),
        "ATTEMPTS": str(tmp_path / "attempts"),
        "DEEPFAKE_WORK": str(tmp_path / "w"),
    }
    for command in (
        ("python", "src/extract_faces.py", "--role", "cross", "--out", "data/again"),
        ("python", "src/train_baseline.py", "--crops", "data/crops/train", "--out", "again.pt", "--curves", "again"),
        ("dvc", "status"),
    ):
        done = project.run(*command, **guarded)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "attempts").exists(), (tmp_path / "attempts").read_text()
    ask = "import urllib.request; urllib.request.urlopen('http://example.org')"
    assert project.run(sys.executable, "-c", ask, **guarded).returncode == 1
    assert (tmp_path / "attempts").exists(), "the guard guards"
