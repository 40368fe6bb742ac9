"""torch.compile for a network in training, where the environment asks for it."""

import os

from torch import nn

from deepfake.errors import SettingsError


def compile_if_asked(model: nn.Module) -> None:
    """Compile a network in place, in the mode of torch.compile that `DEEPFAKE_COMPILE` names, if it names one.

    Copies that were made before stay as they are. The first step then takes a minute or more.

    Raises:
        SettingsError: torch.compile has no such mode.
    """
    mode = os.environ.get("DEEPFAKE_COMPILE")
    if not mode:
        return
    try:
        model.compile(mode=mode)
    except RuntimeError as error:
        right = "default, reduce-overhead or max-autotune would be right"
        raise SettingsError(f"DEEPFAKE_COMPILE={mode}: torch.compile has no such mode ({right})") from error
