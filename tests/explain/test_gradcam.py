"""Grad-CAM: the closed form on a linear head, and that a model is given back as it was."""

import pytest
import torch
from torch import Tensor, nn

from deepfake.detector.hybrid import HybridDetector
from deepfake.explain.gradcam import gradcam, upsample
from deepfake.params import DetectorParams

SMALL = DetectorParams(
    backbone="efficientnet_lite0", stride=16, dim=16, depth=1, heads=2, dropout=0.5, pretrained=False, weights=None
)  # fmt: skip


class LinearDetector(nn.Module):
    """The feature map is the crop itself, the logit a weighted sum of its channel means."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward_features(self, x: Tensor) -> Tensor:
        return x

    def forward_head(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3)) @ self.weights


@pytest.fixture
def x() -> Tensor:
    return torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))


WEIGHTS = torch.tensor([2.0, -3.0, 0.5])


@pytest.mark.parametrize("sign", [1, -1])
def test_on_a_linear_head_the_map_is_the_rectified_weighted_sum_of_channels(x: Tensor, sign: int) -> None:
    maps, logits = gradcam(LinearDetector(WEIGHTS), x, sign=sign)
    weighted = sign * torch.einsum("c,bchw->bhw", WEIGHTS / (4 * 6), x)
    assert torch.allclose(maps, weighted.relu(), rtol=1e-6, atol=1e-9)
    assert (weighted < 0).any()
    assert torch.allclose(logits, x.mean(dim=(2, 3)) @ WEIGHTS)
    signed, _ = gradcam(LinearDetector(WEIGHTS), x, sign=sign, rectify=False)
    assert torch.allclose(signed, weighted, rtol=1e-6, atol=1e-9)


def test_without_rectification_evidence_of_real_is_the_negative_of_evidence_of_fake(x: Tensor) -> None:
    model = LinearDetector(WEIGHTS)
    assert torch.equal(gradcam(model, x, rectify=False)[0], -gradcam(model, x, sign=-1, rectify=False)[0])


def test_maps_are_not_rescaled(x: Tensor) -> None:
    once, _ = gradcam(LinearDetector(WEIGHTS), x)
    thrice, _ = gradcam(LinearDetector(3 * WEIGHTS), x)
    assert torch.allclose(thrice, 3 * once)


def test_a_logit_against_fake_everywhere_gives_an_empty_map(x: Tensor) -> None:
    maps, _ = gradcam(LinearDetector(-WEIGHTS.abs()), x)
    assert not maps.any()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_the_detector_is_left_as_it_was(training: bool, grad: bool) -> None:
    torch.manual_seed(0)
    model = HybridDetector(SMALL).train(training).requires_grad_(grad)
    model.head.logit.weight.requires_grad_(not grad)
    model.backbone.network.bn1.train(not training)
    before = state(model)
    maps, logits = gradcam(model, torch.rand(3, 3, 48, 48))
    assert state(model) == before
    assert all(parameter.grad is None for parameter in model.parameters())
    assert maps.shape == (3, 3, 3)
    assert maps.dtype == logits.dtype == torch.float32
    assert not maps.requires_grad
    assert not logits.requires_grad


def test_the_map_is_that_of_eval_mode_and_does_not_depend_on_its_batch() -> None:
    torch.manual_seed(0)
    model = HybridDetector(SMALL).train()
    x = torch.rand(3, 3, 48, 48)
    maps, logits = gradcam(model, x)
    with torch.no_grad():
        assert torch.allclose(logits, model.eval()(x), atol=1e-6)
        alone, _ = gradcam(model, x[1:2])
    assert torch.allclose(alone[0], maps[1], rtol=1e-3, atol=1e-9)


def test_upsampling_keeps_a_constant_and_puts_cells_where_their_pixels_are() -> None:
    assert upsample(torch.full((2, 2), 3.0).numpy(), 7) == pytest.approx(3)
    corner = torch.zeros(5, 5)
    corner[0, 4] = 1
    grown = upsample(corner.numpy(), 80)
    assert grown.shape == (80, 80)
    assert grown[:16, 64:].sum() > 0.5 * grown.sum()
    assert grown[0, 79] == grown.max() == 1


def state(model: nn.Module) -> list[object]:
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    modules = [(module.training, *(len(getattr(module, name)) for name in hooks)) for module in model.modules()]
    values = [(name, tensor.sum().item()) for name, tensor in model.state_dict().items()]
    return [modules, values, [parameter.requires_grad for parameter in model.parameters()]]
