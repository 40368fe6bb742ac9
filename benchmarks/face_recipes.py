"""How faces are cut out of videos elsewhere, for benchmarks/extraction.py; each way gives the largest face's box.

All look at the same frames of the same video. Nothing here is used by the pipeline.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from deepfake.records import Box

Boxes = dict[int, Box]  # by frame number, of the frames with a face


class SeekingRecipe:
    """The usual one: OpenCV seeks every frame, MTCNN looks at it once to save the crop and once more for the box."""

    def __init__(self, device: torch.device) -> None:
        self._mtcnn = MTCNN(device=device)

    def __call__(self, path: Path, numbers: Sequence[int], folder: Path) -> Boxes:
        """Boxes of a video's faces; the crops go to `folder`."""
        capture = cv2.VideoCapture(str(path))
        found: Boxes = {}
        for number in numbers:
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            picture = Image.fromarray(cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB))
            self._mtcnn(picture, save_path=str(folder / f"{path.stem}_{number}.png"))
            boxes, _ = self._mtcnn.detect(picture)
            if boxes is not None:
                found[number] = Box(*boxes[0].tolist())
        capture.release()
        return found


class BatchedRecipe:
    """What who cares for speed does with the same package: decode once in order, and whole frames in batches."""

    def __init__(self, device: torch.device, batch_size: int) -> None:
        self._mtcnn, self._batch_size = MTCNN(device=device), batch_size

    def __call__(self, path: Path, numbers: Sequence[int]) -> Boxes:
        """Boxes of a video's faces."""
        return self.find(_read_in_order(path, numbers))

    def find(self, frames: Iterable[tuple[int, np.ndarray]]) -> Boxes:
        """Boxes of the faces in numbered frames, uint8 RGB (H, W, 3) of one size."""
        found: Boxes = {}
        waiting = iter(frames)
        while batch := list(islice(waiting, self._batch_size)):
            boxes, _ = self._mtcnn.detect(np.stack([frame for _, frame in batch]))
            found |= {number: Box(*box[0].tolist()) for (number, _), box in zip(batch, boxes, strict=True)
                      if box is not None}  # fmt: skip
        return found


def decode_only(path: Path, numbers: Sequence[int]) -> int:
    """Decode up to the last frame with all of FFmpeg's threads, and make pictures of the wanted ones; their bytes."""
    wanted, size = {*numbers}, 0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, frame in enumerate(islice(container.decode(video=0), max(numbers) + 1)):
            if number in wanted:
                size += frame.to_ndarray(format="rgb24").nbytes
    return size


def _read_in_order(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    wanted = {*numbers}
    capture = cv2.VideoCapture(str(path))
    for number in range(max(numbers) + 1):
        if capture.grab() and number in wanted:
            yield number, cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    capture.release()
