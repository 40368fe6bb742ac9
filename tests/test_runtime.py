import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from deepfake.errors import SettingsError
from deepfake.runtime import ahead, derive_seed, open_device, replacing, replacing_folder, worker_count


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old")
    with suppress(KeyError), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_a_read_only_file_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "linked"
    path.write_text("old")
    path.chmod(0o444)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out"
    for content, fails in (("first", False), ("second", True), ("third", False)):
        with suppress(KeyError), replacing_folder(path) as temporary:
            (temporary / content).touch()
            if fails:
                raise KeyError
        assert names(path) == ["first" if fails else content]
    assert names(tmp_path) == ["out"]


def test_the_current_folder_is_nothing_to_replace() -> None:
    for replace in (replacing, replacing_folder):
        with pytest.raises(SettingsError, match="a name of its own"), replace(Path()):
            pass


def test_a_folder_that_cannot_be_replaced_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").touch()

    def fail(self: Path, target: Path) -> None:
        raise OSError(f"{self} cannot become {target}")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="cannot become"), replacing_folder(path) as temporary:
        (temporary / "new").touch()
    assert names(path) == ["old"]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_no_device_rounds_convolutions_to_less_than_float32() -> None:
    torch.backends.cudnn.allow_tf32 = True
    open_device()
    assert not torch.backends.cudnn.allow_tf32


def test_seeds_depend_on_every_part_and_on_nothing_else() -> None:
    assert derive_seed(1, "a", "b") == derive_seed(1, "a", "b")
    assert (
        len({derive_seed(1, "a", "b"), derive_seed(2, "a", "b"), derive_seed(1, "ab"), derive_seed(1, "b", "a")}) == 4
    )


def test_results_come_in_order_however_long_each_takes() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3))
        return number

    assert list(ahead(work, range(20), workers=4)) == list(range(20))


def test_no_more_is_computed_ahead_than_fits() -> None:
    started: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            started.append(number)
        return number

    results: Iterator[int] = ahead(work, range(100), workers=2)
    next(results)
    time.sleep(0.1)
    assert len(started) <= 5


def test_an_error_in_a_thread_reaches_the_reader() -> None:
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda number: 1 // number, [1, 0, 1], workers=2))


@pytest.mark.parametrize("text", ["banana", "0", "-1", "2.5"])
def test_a_bad_worker_count_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DEEPFAKE_WORKERS", text)
    with pytest.raises(SettingsError, match=f"DEEPFAKE_WORKERS={text}"):
        worker_count()


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_DEVICE", "banana")
    with pytest.raises(SettingsError, match="DEEPFAKE_DEVICE=banana"):
        open_device()
    monkeypatch.setenv("DEEPFAKE_DEVICE", "cpu")
    assert open_device().type == "cpu"
