"""Our cascade beside facenet-pytorch's, and its parts beside torch's."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from torch import nn
from torch.nn.functional import interpolate
from toy_project import Project

from deepfake.faces.averaging import cut, integral, shrunk
from deepfake.faces.cascade import Cascade, MaxPool
from deepfake.video.decoding import decode_video

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures(toy: Project) -> list[np.ndarray]:
    """Frames with one face, with two, and with none."""
    folder = toy.root / "data/raw/sample/ffpp/original_sequences/youtube/c23/videos"
    one = [decode_video(path.read_bytes())[0] for path in sorted(folder.iterdir())[:3]]
    width = one[0].shape[1]
    two = np.concatenate([one[0][:, : width // 2], one[1][:, : width - width // 2]], axis=1)
    return [*one, two, np.full_like(one[0], 90), np.random.default_rng(0).integers(0, 256, one[0].shape, np.uint8)]


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 97, 131, 3), np.uint8)


@pytest.mark.parametrize("min_face", [20, 40])
def test_it_finds_what_facenet_pytorch_finds(pictures: list[np.ndarray], min_face: int) -> None:
    theirs = MTCNN(keep_all=True, select_largest=False, min_face_size=min_face, device=CPU)
    boxes, probabilities = theirs.detect(np.stack(pictures))
    ours = Cascade(min_face, CPU).detect(pictures)
    assert sum(map(len, ours)) >= 3
    for found, box, probability in zip(ours, boxes, probabilities, strict=True):
        if box is None:
            assert len(found) == 0
        else:
            expected = np.column_stack([box, probability]).astype(np.float32)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_a_frame_without_a_face_has_no_box(pictures: list[np.ndarray]) -> None:
    (found,) = Cascade(40, CPU).detect([np.full_like(pictures[0], 90)])
    assert found.shape == (0, 5)


@pytest.mark.parametrize("side", [1, 46, 47])
def test_a_frame_no_larger_than_the_smallest_face_has_a_result(side: int) -> None:
    found = Cascade(47, CPU).detect([np.zeros((side, 60, 3), np.uint8)] * 2)  # 47 * (12 / 47) is rounded below 12
    assert [faces.shape for faces in found] == [(0, 5)] * 2


def test_a_face_at_the_border_is_found_beyond_it(pictures: list[np.ndarray]) -> None:
    (whole,) = Cascade(40, CPU).detect(pictures[:1])
    left, _, right, _, _ = whole[0]
    (cropped,) = Cascade(40, CPU).detect([np.ascontiguousarray(pictures[0][:, int(left + (right - left) / 4) :])])
    assert len(cropped) == 1
    assert cropped[0][0] < 10


@pytest.mark.parametrize("size", [(97, 131), (40, 60), (12, 13), (1, 1)])
def test_a_pyramid_is_averaged_as_torch_does_it(noise: np.ndarray, size: tuple[int, int]) -> None:
    whole = torch.from_numpy(noise).permute(0, 3, 1, 2).float()
    assert torch.equal(shrunk(integral(noise), *size), interpolate(whole, size=size, mode="area"))


def test_windows_are_averaged_as_torch_does_it(noise: np.ndarray) -> None:
    whole = torch.from_numpy(noise).permute(0, 3, 1, 2).float()
    boxes = torch.tensor([[0, 0, 131, 97], [5, 6, 40, 50], [100, 90, 101, 91], [3, 2, 10, 12]])
    owners = torch.tensor([0, 1, 1, 0])
    for window, owner, (x0, y0, x1, y1) in zip(cut(integral(noise), owners, boxes, 24), owners, boxes, strict=True):
        expected = interpolate(whole[owner : owner + 1, :, y0:y1, x0:x1], size=(24, 24), mode="area")
        assert torch.equal(window[None], expected)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shape", [(2, 4, 9, 12), (1, 3, 10, 11), (3, 8, 3, 4)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_is_that_of_torch(size: int, shape: tuple[int, ...], layout: torch.memory_format) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(memory_format=layout)
    pooled = MaxPool(size)(x)
    assert torch.equal(pooled, nn.MaxPool2d(size, 2, ceil_mode=True)(x))
    assert pooled.is_contiguous(memory_format=layout)
