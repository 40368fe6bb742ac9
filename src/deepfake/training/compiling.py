"""torch.compile for a network in training, where the environment asks for it."""

import os

from torch import nn

from deepfake.errors import SettingsError


def asked_mode() -> str:
    """The mode of torch.compile that `DEEPFAKE_COMPILE` names; empty for none."""
    return os.environ.get("DEEPFAKE_COMPILE", "")


def compile_in(model: nn.Module, mode: str) -> None:
    """Compile a network in place, in a mode of torch.compile; in none if it is empty.

    Copies that were made before stay as they are. The first step then takes a minute or more.

    Raises:
        SettingsError: torch.compile has no such mode.
    """
    if not mode:
        return
    try:
        model.compile(mode=mode)
    except RuntimeError as error:
        right = "default, reduce-overhead or max-autotune would be right"
        raise SettingsError(f"DEEPFAKE_COMPILE={mode}: torch.compile has no such mode ({right})") from error
