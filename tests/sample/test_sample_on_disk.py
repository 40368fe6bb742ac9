"""The sample dataset as a whole: its folders, tables and bytes."""

import csv
import json
from pathlib import Path

import pytest

from deepfake.params import SampleParams
from deepfake.sample.recipes import FFPP_METHODS
from deepfake.sample.writing import write_sample
from deepfake.video.decoding import decode_video

TINY = SampleParams(
    train_identities=2, val_identities=2, test_identities=2, cross_identities=2, cross_youtube=1,
    frames=4, width=214, height=160,
)  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    write_sample(root, TINY, seed=7, workers=1)
    return root


def _contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_processes_write_the_same_bytes_as_one(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, TINY, seed=7, workers=2)
    one, two = _contents(sample), _contents(tmp_path)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_every_split_has_originals_and_fakes_of_its_own_people(sample: Path) -> None:
    root = sample / "ffpp"
    people: list[str] = []
    for split in ("train", "val", "test"):
        pairs = json.loads((root / "splits" / f"{split}.json").read_text())
        names = [name for pair in pairs for name in pair]
        people += names
        assert all((root / "original_sequences/youtube/c23/videos" / f"{name}.mp4").is_file() for name in names)
        stems = {f"{a}_{b}" for a, b in pairs} | {f"{b}_{a}" for a, b in pairs}
        assert any(path.stem in stems for path in root.glob("manipulated_sequences/*/c23/videos/*.mp4"))
    assert len(people) == len(set(people)) == 6


def test_every_person_is_an_original_and_the_target_of_a_fake(sample: Path) -> None:
    root = sample / "ffpp"
    originals = {path.stem for path in root.glob("original_sequences/youtube/c23/videos/*.mp4")}
    targets = {path.stem.split("_")[0] for path in root.glob("manipulated_sequences/*/c23/videos/*.mp4")}
    assert originals == targets


def test_every_fake_has_a_mask_of_as_many_frames(sample: Path) -> None:
    fakes = [
        *sample.glob("ffpp/manipulated_sequences/*/c23/videos/*.mp4"),
        *sample.glob("celebdf/Celeb-synthesis/*.mp4"),
    ]
    for fake in fakes:
        if "ffpp" in fake.parts:
            mask = fake.parents[2] / "masks/videos" / fake.name
        else:
            mask = fake.parents[1] / "masks/Celeb-synthesis" / fake.name
        frames, masks = decode_video(fake.read_bytes()), decode_video(mask.read_bytes())
        assert len(frames) == len(masks) == TINY.frames
        assert frames[0].shape == masks[0].shape == (160, 214, 3)
        assert all(0.01 < (picture >= 128).mean() < 0.4 for picture in masks)


def test_the_test_list_of_celebdf_names_every_video_once_and_says_1_for_real(sample: Path) -> None:
    root = sample / "celebdf"
    lines = (root / "List_of_testing_videos.txt").read_text().splitlines()
    listed = {path: label for label, path in map(str.split, lines)}
    assert len(lines) == len(listed)
    files = {path.relative_to(root).as_posix() for path in root.rglob("*.mp4") if "masks" not in path.parts}
    assert set(listed) == files
    assert {path: listed[path] for path in files} == {
        path: "0" if path.startswith("Celeb-synthesis/") else "1" for path in files
    }


def test_attributes_describe_every_video_and_undo_shares_grow_with_the_budget(sample: Path) -> None:
    for dataset, expected in (("ffpp", 6 + 9), ("celebdf", 4 + 4 + 1)):
        rows = _rows(sample / dataset / "attributes.csv")
        assert len({(row["method"], row["video"]) for row in rows}) == len(rows) == expected
        for row in rows:
            shares = [float(row[f"undo_{step}"]) for step in (1, 2, 4, 8)]
            assert shares == sorted(shares)
            is_fake = row["method"] in (*FFPP_METHODS, "Celeb-synthesis")
            assert (0 < shares[-1] < 0.9) if is_fake else not any(shares)
            assert bool(row["source"]) == is_fake


def test_real_and_fake_videos_are_encoded_alike(sample: Path) -> None:
    def settings(path: Path) -> str:
        text = path.read_bytes()
        start = text.index(b"options: ")
        return text[start : text.index(b"\x00", start)].decode("ascii", errors="replace")

    for dataset in ("ffpp", "celebdf"):
        videos = [path for path in (sample / dataset).rglob("*.mp4") if "masks" not in path.parts]
        assert len({settings(path) for path in videos}) == 1
