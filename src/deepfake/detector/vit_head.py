"""A small Vision Transformer over the tokens of a feature map, ending in one logit."""

import torch
from timm.layers import build_sincos2d_pos_embed
from timm.models.vision_transformer import Block
from torch import Tensor, nn


class ViTHead(nn.Module):
    """Feature map -> tokens -> transformer -> mean -> logit (Dosovitskiy et al. 2021, without a class token).

    Positions are fixed 2-D sine-cosine embeddings, so any map size works.
    """

    def __init__(self, channels: int, *, dim: int, depth: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, dim)
        self.blocks = nn.Sequential(
            *(Block(dim, heads, qkv_bias=True, proj_drop=dropout, attn_drop=dropout) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)
        self.logit = nn.Linear(dim, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B,) of feature maps (B, C, h, w)."""
        tokens = self.embed(features.flatten(2).transpose(1, 2))  # (B, h*w, dim)
        tokens = tokens + positions(features.shape[2:], tokens)
        tokens = self.norm(self.blocks(tokens))
        return self.logit(self.dropout(tokens.mean(dim=1))).squeeze(1)


def positions(shape: torch.Size, like: Tensor) -> Tensor:
    """2-D sine-cosine position embedding (h*w, dim) in the type and on the device of `like` (..., dim)."""
    dim = like.shape[-1]
    return build_sincos2d_pos_embed(list(shape), dim=dim, device=like.device).to(like.dtype)
