"""What a user sees as one line instead of a traceback."""


class DeepfakeError(Exception):
    """A fault of the input or the settings, worded for the person who can mend it."""


class SettingsError(DeepfakeError):
    """A value in params.yaml or on the command line that cannot be used."""


class DataError(DeepfakeError):
    """A dataset, table or shard that is missing, empty or contradicts itself."""


class MediaError(DeepfakeError):
    """A video or picture that cannot be decoded."""


class CheckpointError(DeepfakeError):
    """A model file that is not one of ours, or not whole."""
