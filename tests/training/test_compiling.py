import pytest
from torch import nn

from deepfake.errors import SettingsError
from deepfake.training.compiling import asked_mode, compile_in


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes that modules are compiled in; to compile for real takes a minute and a C++ compiler."""
    found: list[str] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, mode: found.append(mode))
    return found


def test_the_environment_names_the_mode(modes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPFAKE_COMPILE", raising=False)
    compile_in(nn.Linear(2, 1), asked_mode())
    monkeypatch.setenv("DEEPFAKE_COMPILE", "")
    compile_in(nn.Linear(2, 1), asked_mode())
    assert not modes
    monkeypatch.setenv("DEEPFAKE_COMPILE", "reduce-overhead")
    compile_in(nn.Linear(2, 1), asked_mode())
    assert modes == ["reduce-overhead"]


def test_a_mode_that_torch_does_not_know_is_one_line() -> None:
    with pytest.raises(SettingsError, match=r"^DEEPFAKE_COMPILE=fastest: torch.compile has no such mode \(default, "):
        compile_in(nn.Linear(2, 1), "fastest")


def test_a_compiled_network_keeps_the_names_of_its_weights() -> None:
    network = nn.Linear(2, 1)
    names = list(network.state_dict())
    compile_in(network, "default")
    assert list(network.state_dict()) == names
