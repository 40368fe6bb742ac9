"""The folders that the tests of datasets use."""

from datasets.conftest import celebdf, ffpp, plant

__all__ = ["celebdf", "ffpp", "plant"]
