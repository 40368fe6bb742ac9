"""The values that evaluation and explanation leave beside the scores: curves, sizes, checks and what maps are worth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpsScore:
    """One row of an eps curve: a logit under attacks of one budget; reals are left as they are at every budget.

    Attributes:
        eps: budget in [0, 1] pixel space; 0 is the clean crop.
        attack: `pgd`, or `worst` for the lowest logit over it and what went on after it: see AtBudget.
        video, clip, frame, logit: as in FrameScore.
    """

    eps: float
    attack: str
    video: str
    clip: int
    frame: int
    logit: float


@dataclass(frozen=True)
class Perturbation:
    """One row of the perturbation table: how far one attack moved one fake crop, after rounding to uint8.

    Attributes:
        attack: name of the attack (`pgd`, `unet`), with that of the codec if it knew which one follows.
        video, clip, frame: which crop.
        linf: largest change of a channel, in [0, 1].
        l2: Euclidean length of the change of the crop in [0, 1].
        psnr: peak signal-to-noise ratio to the clean crop, in dB.
        ssim: structural similarity to the clean crop, at most 1.
        total_variation: roughness relative to the budget (see `attacks.losses`).
        low_frequency: share of the change's energy below a quarter of the Nyquist frequency.
    """

    attack: str
    video: str
    clip: int
    frame: int
    linf: float
    l2: float
    psnr: float
    ssim: float
    total_variation: float
    low_frequency: float


@dataclass(frozen=True)
class UndoShare:
    """One row of the table of what an attacker could undo: of one fake and one budget, as its dataset states it.

    Attributes:
        video: text form of the VideoKey.
        eps_255: budget in steps of an 8-bit pixel.
        share: share of the forged region whose pixels are within the budget of what they were before the forgery. What
            is undone, no detector can find.
    """

    video: str
    eps_255: int
    share: float


@dataclass(frozen=True)
class SanityCheck:
    """One test of whether a robustness number can be believed (Carlini et al. 2019).

    Attributes:
        name: what is tested, as a short key.
        value: what was measured.
        limit: the largest value that raises no flag.
        raised: 1 where the value is above the limit, which means that gradients may be masked.
    """

    name: str
    value: float
    limit: float
    raised: int


@dataclass(frozen=True)
class Explanation:
    """One row of the table of explanations: what one Grad-CAM map of one crop is worth.

    Attributes:
        model: which detector (`baseline`, `robust`).
        role: which dataset (`train`, `cross`).
        condition: what the detector looked at (`clean`, `pgd`, `jpeg50`, …).
        video, frame: which crop.
        logit: what the detector said of it.
        faithfulness: ROAD: how much further the logit moves when the most relevant pixels are removed first than when
            the least relevant ones are.
        breadth: share of the face box that holds 80 % of the relevance in it, in [0, 1].
        overlap: share of the relevance that lies on the forged region, divided by that region's share of the crop;
            1 is chance.
        stability: rank correlation with the same detector's clean map, in [-1, 1]; 1 for the clean map itself.

    Breadth and overlap are NaN where no evidence of fake is left, overlap also where no mask is known. Faithfulness and
    stability rank evidence with its sign, and are NaN only for a constant map.
    """

    model: str
    role: str
    condition: str
    video: str
    frame: int
    logit: float
    faithfulness: float
    breadth: float
    overlap: float
    stability: float
