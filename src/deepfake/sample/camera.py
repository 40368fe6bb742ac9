"""From a rendered picture to what a camera hands over: lens, sensor noise and the camera's own H.264."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepfake.runtime import derive_seed
from deepfake.sample.plane import blurred, cloud
from deepfake.video.decoding import decode_video
from deepfake.video.encoding import encode_h264

NOISE_LEVELS = ("low", "middle", "high")
_NOISE = {"low": 1.2, "middle": 2.4, "high": 3.8}  # deviation of the noise in steps of 1/255
_BANK = 48  # how much larger than a frame the stored noise is


@dataclass(frozen=True)
class Camera:
    """A lens, a sensor and an encoder.

    Attributes:
        noise: one of NOISE_LEVELS.
        blur: sigma of the lens's blur in pixels.
        contrast: of the picture around mid grey.
        crf, preset: of the camera's own encoding.
    """

    noise: str
    blur: float
    contrast: float
    crf: int
    preset: str


def record(pictures: Iterator[np.ndarray], camera: Camera, seed: int) -> list[np.ndarray]:
    """What comes out of the camera's video file: uint8 RGB (H, W, 3).

    Args:
        pictures: rendered frames (H, W, 3) in [0, 1].
        camera: the camera.
        seed: of the noise.
    """
    return decode_video(encode_h264(_expose(pictures, camera, seed), crf=camera.crf, preset=camera.preset))


def _expose(pictures: Iterator[np.ndarray], camera: Camera, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(derive_seed(seed, "noise"))
    bank: np.ndarray | None = None
    for picture in pictures:
        if bank is None:
            bank = _noise_bank(rng, picture.shape, _NOISE[camera.noise])
        top, left = rng.integers(0, _BANK, size=2)
        noise = bank[top : top + picture.shape[0], left : left + picture.shape[1]]
        gain = 1 + 0.004 * float(rng.standard_normal())
        seen = blurred(picture, camera.blur) * np.float32(255 * camera.contrast * gain)
        seen += noise + np.float32(127.5 * (1 - camera.contrast))
        yield np.clip(seen, 0, 255).astype(np.uint8)


def _noise_bank(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> np.ndarray:
    size = (shape[0] + _BANK, shape[1] + _BANK)
    channels = [0.8 * cloud(rng, size, 0.6) for _ in range(3)]
    shared = cloud(rng, size, 0.7)
    return (np.stack([channel + 0.6 * shared for channel in channels], axis=-1) * deviation).astype(np.float32)
