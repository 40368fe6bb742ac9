import pytest
import torch
from torch import nn

from deepfake.errors import SettingsError
from deepfake.training.compiling import compile_if_asked


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes that modules are compiled in; to compile for real takes a minute and a C++ compiler."""
    modes: list[str] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, mode: modes.append(mode))
    return modes


def test_nothing_is_compiled_unasked(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        monkeypatch.delenv("DEEPFAKE_COMPILE", raising=False)
        if value is not None:
            monkeypatch.setenv("DEEPFAKE_COMPILE", value)
        compile_if_asked(nn.Linear(2, 1))
    assert not asked


def test_the_environment_names_the_mode(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_COMPILE", "reduce-overhead")
    compile_if_asked(nn.Linear(2, 1))
    assert asked == ["reduce-overhead"]


def test_a_mode_that_torch_does_not_know_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_COMPILE", "fastest")
    with pytest.raises(SettingsError, match=r"^DEEPFAKE_COMPILE=fastest: torch.compile has no such mode \(default, "):
        compile_if_asked(nn.Linear(2, 1))


def test_a_compiled_network_keeps_its_weights_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFAKE_COMPILE", "default")
    network = nn.Linear(2, 1)
    names = list(network.state_dict())
    compile_if_asked(network)
    assert list(network.state_dict()) == names
    assert isinstance(network.weight, torch.Tensor)
