"""An attacker who knows the compression that follows (Athalye et al. 2018: EOT and BPDA)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project
from deepfake.attacks.protocol import Attack, ascent, keep_better, objective
from deepfake.attacks.stand_ins import Codec
from deepfake.modes import frozen


@dataclass(frozen=True)
class Adaptive:
    """PGD on the detector and the codecs before it as if they were one model, from where another attack ends.

    Starting from what an attacker finds who does not know the codec, it is no weaker than that one. Where several
    codecs may follow, the logit is the mean over them (EOT). They are a fixed list, `[partial(differentiable_jpeg,
    quality=q) for q in (40, 50, 60)]`, and not drawn anew at every step: rows stay independent, and the best point
    means something.

    Attributes:
        start: an attack within the budget, on the detector alone.
        eps: budget in [0, 1] pixel space.
        steps: gradient steps through the codecs, each half the budget long.
        codecs: what may follow, each with a gradient (`stand_ins`).
        one_clip: whether all rows are one clip, which a codec compresses as a whole: then they are judged as a whole.
    """

    start: Attack
    eps: float
    steps: int
    codecs: Sequence[Codec]
    one_clip: bool = False

    def __post_init__(self) -> None:
        if not self.codecs:
            raise ValueError("no codecs: an attack through nothing is its start")

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`, before any compression; through the codecs no worse than the clean crop and than `start`.

        A row depends on no other if its codecs' results do not.
        """
        compressed = _Compressed(model, self.codecs, self.one_clip)
        x_adv = self.start(model, x, y, seeds)
        with frozen(model), torch.no_grad():
            best, best_value = x, objective(compressed(x), y)
            for _ in range(self.steps):
                value, gradient = ascent(compressed, x_adv, y)
                best, best_value = keep_better(best, best_value, x_adv, value)
                x_adv = project(x_adv + self.eps / 2 * gradient.sign(), x, self.eps)
            best, _ = keep_better(best, best_value, x_adv, objective(compressed(x_adv), y))
        return best


class _Compressed(nn.Module):
    def __init__(self, model: nn.Module, codecs: Sequence[Codec], one_clip: bool) -> None:
        super().__init__()
        self.model, self.codecs, self.one_clip = model, codecs, one_clip

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.stack([self.model(codec(x)) for codec in self.codecs]).mean(dim=0)
        return logits.mean().expand(len(x)) if self.one_clip else logits
