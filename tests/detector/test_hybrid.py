from pathlib import Path

import pytest
import torch

from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import SettingsError
from deepfake.modes import evaluating
from deepfake.params import DetectorParams

PARAMS = DetectorParams(
    backbone="efficientnet_b0", stride=16, dim=48, depth=1, heads=3, dropout=0.1, pretrained=False, weights=None
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> HybridDetector:
    torch.manual_seed(0)
    return HybridDetector(PARAMS)


@pytest.mark.parametrize("size", [48, 64, 97])
def test_any_input_size_gives_one_logit_a_crop(model: HybridDetector, size: int) -> None:
    x = torch.rand(2, 3, size, size)
    assert model(x).shape == (2,)
    assert model.forward_features(x).shape[2] == -(-size // 16)


def test_every_parameter_receives_a_gradient(model: HybridDetector) -> None:
    model.train()
    torch.nn.functional.binary_cross_entropy_with_logits(
        model(torch.rand(4, 3, 64, 64)), torch.tensor([0.0, 1, 0, 1])
    ).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


def test_the_head_follows_the_features(model: HybridDetector) -> None:
    x = torch.rand(2, 3, 64, 64)
    with evaluating(model), torch.no_grad():
        assert torch.equal(model.forward_head(model.forward_features(x)), model(x))


def test_position_matters_to_the_head(model: HybridDetector) -> None:
    with evaluating(model), torch.no_grad():
        features = model.forward_features(torch.rand(1, 3, 64, 64))
        assert not torch.allclose(model.forward_head(features), model.forward_head(features.flip(3)), atol=1e-6)


def test_the_full_size_detector_has_at_most_eight_million_parameters() -> None:
    full = PARAMS.model_copy(update={"stride": 32, "dim": 256, "depth": 4, "heads": 4})
    assert sum(p.numel() for p in HybridDetector(full).parameters()) <= 8_000_000


def test_an_unknown_backbone_is_named_with_examples() -> None:
    with pytest.raises(SettingsError, match=r"timm has no 'efficientnet_banana'; for example: .*efficientnet"):
        HybridDetector(PARAMS.model_copy(update={"backbone": "efficientnet_banana"}))


def test_a_missing_weights_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"detector\.weights: nowhere\.pth"):
        HybridDetector(PARAMS.model_copy(update={"weights": "nowhere.pth"}))


@pytest.mark.parametrize("content", [b"", b"hello\n", [1, 2], {"conv_stem.weight": torch.zeros(40, 3, 3, 3)}])
def test_a_weights_file_of_something_else_is_refused_in_one_line(tmp_path: Path, content: object) -> None:
    path = tmp_path / "b3.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(SettingsError, match=r"^detector\.weights: \S+/b3\.pth") as caught:
        HybridDetector(PARAMS.model_copy(update={"weights": str(path)}))
    assert "\n" not in str(caught.value)


def test_evaluating_restores_every_submodule(model: HybridDetector) -> None:
    model.train()
    model.head.norm.eval()
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert model.training
    assert model.head.logit.training
    assert not model.head.norm.training
