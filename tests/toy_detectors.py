"""Detectors to attack, their crops, and a U-Net fitted in a second: a linear one with a known optimum, a small
one, and one whose logit is bounded."""

import torch
from torch import Tensor, nn

from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.params import UnetParams
from deepfake.training.attacker import attacker_step, smooth_jpeg
from deepfake.training.fit import prepare_fit

SIZE = 16
EPS = 8 / 255
UNET = UnetParams(
    width=8, total_variation=0.0, frequency=0.0, jpeg=0.0, jpeg_quality=(50, 90), epochs=1, opening_epochs=1, steps=60,
    batch_size=32, learning_rate=1e-2, warmup=0.1, weight_decay=0.0, average_halflife=0.25, max_gradient_norm=1.0,
)  # fmt: skip


class Linear(nn.Module):
    """logit = w · x + b, with every weight far from 0."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(3 * SIZE * SIZE, generator=generator)
        self.weight = nn.Parameter(weight + weight.sign())
        self.bias = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight + self.bias


class Small(nn.Module):
    """A convolutional detector with all that has modes and state: batch normalisation and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.SiLU(),
            nn.Conv2d(8, 8, 3, padding=1, stride=2), nn.BatchNorm2d(8), nn.SiLU(), nn.Dropout(0.3),
        )  # fmt: skip
        self.logit = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.logit(self.layers(x).mean(dim=(2, 3))).squeeze(1)


class Bounded(nn.Module):
    """The cosine of an angle between two features: the first far above 0, from where the budget gets it far below.

    All pixels count for both. The second is a small ripple: it changes the angle more than the first does, and leads
    nowhere.
    """

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        signs = torch.randn(2, 3 * SIZE * SIZE, generator=generator).sign()
        self.features = nn.Parameter(signs)
        self.far = 0.5 * EPS * signs.shape[1]
        self.apart = nn.Parameter(torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]))
        self.norm, self.logit = nn.LayerNorm(4), nn.Linear(4, 1)
        with torch.no_grad():
            self.logit.weight.copy_(self.apart[:1])
            self.logit.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.logit(self.norm(self.features_of(x) @ self.apart)).squeeze(1)

    def features_of(self, x: Tensor) -> Tensor:
        first, second = ((x - 0.5).flatten(1) @ self.features.T).unbind(1)
        return torch.stack([first + self.far, 0.05 + 0.03 * torch.sin(70 * second)], dim=1)


def draw_crops(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Smooth pictures with some black and white; a fake has a faint grid, which an attack can undo, and a frame of
    ten times the budget, which it cannot."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 3, 4, 4, generator=generator)
    x = nn.functional.interpolate(x, size=SIZE, mode="bilinear").mul(1.3).sub(0.15).clamp(0, 1)
    y = (torch.arange(count) % 2).float()
    cues = 0.03 * (1 - 2 * ((torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2).float())
    cues[4:12, 4:12] += 10 * EPS
    x = (x + y.view(-1, 1, 1, 1) * cues).clamp(0, 1)
    return (x * 255).round() / 255, y


def draw_bounded(count: int) -> Tensor:
    """Crops that `Bounded` calls fake with all the certainty that it has."""
    return 0.5 + 0.001 * torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))


def objective_of(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """How far each logit (B,) is on the wrong side."""
    model.eval()
    with torch.no_grad():
        return (1 - 2 * y) * model(x)


def fit_unet(detector: nn.Module, params: UnetParams = UNET, *, eps: float = EPS) -> PerturbationUNet:
    """A U-Net after `params.steps` steps against a detector."""
    torch.manual_seed(0)
    unet = PerturbationUNet(params.width)
    fit = prepare_fit(unet, params)
    step = attacker_step(detector, params, eps, smooth_jpeg)
    for number in range(params.steps):
        x, y = draw_crops(params.batch_size, seed=1000 + number)
        loss = torch.stack(list(step(unet, Batch(x, y, ())).values())).sum()
        fit.optimizer.zero_grad()
        loss.backward()
        fit.optimizer.step()
        fit.schedule.step()
    return unet.eval()


def train_small() -> Small:
    """The small detector after training; it tells clean crops apart."""
    torch.manual_seed(0)
    model = Small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(150):
        x, y = draw_crops(32, seed=step)
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, y = draw_crops(200, seed=999)
    assert ((objective_of(model, x, y) < 0).float().mean()) > 0.95
    return model.eval()
