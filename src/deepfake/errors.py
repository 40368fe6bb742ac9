"""What a user sees as one line instead of a traceback."""

import re

_ROOM = 700  # characters at either end of a line; a cell of a table may have any number


class DeepfakeError(Exception):
    """A fault of the input or the settings, worded for the person who can mend it.

    As text it is one printable line of bounded length, whatever the names in it hold: a file may be called `a\\nb`.
    """

    def __str__(self) -> str:
        line = re.sub(r"\s*[\r\n]\s*", " ", super().__str__())
        line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
        return line if len(line) <= 2 * _ROOM else f"{line[:_ROOM]} … {line[-_ROOM:]}"


class SettingsError(DeepfakeError):
    """A value in params.yaml or on the command line that cannot be used."""


class DataError(DeepfakeError):
    """A dataset, table or shard that is missing, empty or contradicts itself."""


class ScoreError(DataError):
    """Scores that are no numbers."""


class MediaError(DeepfakeError):
    """A video or picture that cannot be decoded."""


class CheckpointError(DeepfakeError):
    """A model file that is not one of ours, or not whole."""
