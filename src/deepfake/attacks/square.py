"""Square attack in L-infinity (Andriushchenko et al. 2020): random search that asks for logits and for no gradient."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepfake.attacks.ball import project
from deepfake.attacks.protocol import keep_better, objective
from deepfake.modes import frozen
from deepfake.runtime import derive_seed

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries: where the paper halves p


@dataclass(frozen=True)
class Square:
    """Paints squares of full budget onto a crop and keeps those that help.

    Attributes:
        eps: budget in [0, 1] pixel space.
        queries: looks at each crop, besides the one at the clean crop.
        p_init: share of the crop that the first squares cover.
    """

    eps: float
    queries: int = 1000
    p_init: float = 0.8

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        """As `Attack`; never worse for the attacker than the clean crop."""
        stripes, squares = self._draw(x, seeds)
        with frozen(model), torch.no_grad():
            best = project(x + self.eps * stripes, x, self.eps)
            best_value = objective(model(best), y)
            for query in range(self.queries - 1):
                square = _square(squares[:, query], self.side(query, x.shape[-1]), best)
                x_adv = project(best + 2 * self.eps * square, x, self.eps)
                best, best_value = keep_better(best, best_value, x_adv, objective(model(x_adv), y))
            return keep_better(x, objective(model(x), y), best, best_value)[0]

    def side(self, query: int, size: int) -> int:
        """Side of square number `query` on crops of `size`; the share p that it covers is halved ever more rarely."""
        halvings = sum(query * 10_000 > mark * self.queries for mark in _HALVINGS)
        return min(size, max(1, round(size * (self.p_init / 2**halvings) ** 0.5)))

    def _draw(self, x: Tensor, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Signs of vertical stripes (B, 3, 1, S), and five numbers in [0, 1) for each square (B, queries - 1, 5)."""
        generators = [torch.Generator().manual_seed(derive_seed(seed, "square")) for seed in seeds]
        shapes = (x.shape[1], 1, x.shape[3]), (self.queries - 1, 2 + x.shape[1])
        stripes, squares = (torch.stack([torch.rand(shape, generator=g) for g in generators]) for shape in shapes)
        return _signs(stripes).to(x.device), squares.to(x.device)


def _square(drawn: Tensor, side: int, like: Tensor) -> Tensor:
    """Squares of one sign a channel (B, 3, S, S) in {-1, 0, 1}, from place and signs (B, 5) as numbers in [0, 1)."""
    places = torch.arange(like.shape[-1], device=like.device)
    start = (drawn[:, :2] * (like.shape[-1] - side + 1)).long()[..., None]
    down, right = ((start <= places) & (places < start + side)).unbind(1)
    return (down[:, None, :, None] & right[:, None, None, :]) * _signs(drawn[:, 2:])[..., None, None]


def _signs(drawn: Tensor) -> Tensor:
    return torch.where(drawn < 0.5, -1.0, 1.0)
