"""A timm network cut off at a chosen stride: picture -> feature map."""

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from deepfake.archive import UNREADABLE
from deepfake.errors import SettingsError


class Backbone(nn.Module):
    """The layers of a timm network up to a stride; deeper ones are not built, so that nothing idles.

    Attributes:
        channels: depth of the feature map.
    """

    def __init__(self, name: str, stride: int, *, pretrained: bool = False) -> None:
        super().__init__()
        self.network: Any = _create(name, pretrained)  # timm's feature methods are on no type of torch's
        index = _stage_with_stride(self.network, name, stride)
        self.network.prune_intermediate_layers([index], prune_norm=True, prune_head=True)
        self._index = index
        self.channels: int = self.network.feature_info[index]["num_chs"]

    def forward(self, x: Tensor) -> Tensor:
        """Feature map (B, C, ceil(S / stride), ceil(S / stride)) of pictures (B, 3, S, S)."""
        (features,) = self.network.forward_intermediates(
            x, indices=[self._index], intermediates_only=True, stop_early=True
        )  # fmt: skip
        return features


def load_backbone_weights(backbone: Backbone, path: Path) -> None:
    """Fill a backbone from a local file of timm weights; layers beyond the cut are ignored.

    Raises:
        SettingsError: the file is missing, unreadable, of another network, or lacks a layer of the backbone.
    """
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        missing = backbone.network.load_state_dict(weights, strict=False).missing_keys
    except (*UNREADABLE, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        raise SettingsError(
            f"detector.weights: {path}: no weights that can be loaded safely, .safetensors or .pth ({reason})"
        ) from error
    if missing:
        raise SettingsError(f"detector.weights: {path} lacks {missing[0]} and {len(missing) - 1} more")


def _create(name: str, pretrained: bool) -> Any:
    if name not in timm.list_models():
        close = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:5]) or "efficientnet_b0"
        raise SettingsError(f"detector.backbone: timm has no {name!r}; for example: {close}")
    try:
        return timm.create_model(name, pretrained=pretrained)
    except (OSError, RuntimeError) as error:
        raise SettingsError(
            f"detector.pretrained: timm's weights for {name} cannot be fetched ({error}); "
            "set detector.pretrained=false, or detector.weights to a local file"
        ) from error


def _stage_with_stride(network: Any, name: str, stride: int) -> int:
    strides = {info["reduction"]: index for index, info in enumerate(network.feature_info)}
    if stride not in strides:
        raise SettingsError(f"detector.stride: {name} has no map of stride {stride}; it has {sorted(strides)}")
    return strides[stride]
