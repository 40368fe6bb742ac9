"""What FaceForensics++ c23 and Celeb-DF v2 would take on one GPU: counts of images times costs of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablation_table import units

from deepfake.params import Params

Table = tuple[Sequence[str], list[list[str]], list[str]]  # head, rows, notes

FRAMES = 32  # of each video
DETECTORS = 3  # that are attacked and evaluated: baseline, longer and robust
VIDEOS = 5000  # of FaceForensics++: 1,000 originals and 1,000 fakes by each of four methods
TESTED = {"FaceForensics++": (140, 560), "Celeb-DF v2": (178, 340)}  # real and fake test videos, official splits
FORWARD = 1 / 3  # of a forward and backward pass
FLOAT32 = 2.0  # times as long as in bf16: attacks in evaluation do not use it


@dataclass(frozen=True)
class Machine:
    """A machine with one GPU.

    Attributes:
        decoding: seconds of one core that a video's decoding takes.
        cores: CPU cores.
        images_per_second: that the GPU passes forward and backward through the backbone at 224 px, in mixed precision.
    """

    decoding: float
    cores: int
    images_per_second: float


def estimate(params: Params, machine: Machine, extraction: float) -> Table:
    """A row for every stage that takes long, with its hours.

    Args:
        params: epochs, steps and attacks, for crops of 224 pixels.
        machine: what it would run on.
        extraction: seconds that a video takes where it was measured.
    """
    faces = (VIDEOS + sum(TESTED["Celeb-DF v2"])) * machine.decoding
    wanted = machine.cores / machine.decoding * FRAMES
    rows = [["extract_faces", f"{VIDEOS:,} + {sum(TESTED['Celeb-DF v2'])} videos", _hours(faces / machine.cores),
             f"decoding on {machine.cores} cores; beside it MTCNN has to search {wanted:,.0f} frames/s"]]  # fmt: skip
    for stage, passes, why in _passes(params):
        rows.append([stage, f"{passes / 1e6:.2f} M passes", _hours(passes / machine.images_per_second), why])
    notes = [
        f"a pass: one image forward and backward at 224 px, {machine.images_per_second:,.0f} a second on the GPU, "
        "as --images-per-second says (gpu.md has 2,094 of this detector on one H200; timm publishes 1,752 of all of "
        "efficientnet_b0 on an RTX 3090)",
        f"{machine.decoding:.2f} core seconds to decode a video, measured; {FRAMES} frames of each video are used. "
        f"Without a GPU extraction took {extraction:.2f} s a video on the measuring machine",
        "nothing of this was run at full size: it is an order of magnitude, not a promise",
    ]
    return ("stage", "work", "hours", "how it is counted"), rows, notes


def evaluation_units(params: Params) -> tuple[float, float]:
    """Forward and backward passes that the evaluation of one model takes for a real and for a fake frame.

    An upper bound: attacks that go on after PGD are counted for all fakes, and the eps curve for every frame of it.
    PGD is run once, also for the attacks that start from its result.
    """
    evaluate, attack = params.evaluate, params.attack
    suite, codecs = evaluate.suite, len(evaluate.jpeg_quality) + len(evaluate.h264_crf) + 1
    followed = len(evaluate.attacked_jpeg_quality) + len(evaluate.attacked_h264_crf) + 1
    pgd = attack.restarts * (attack.steps + FORWARD) + FORWARD
    both = pgd + 2 * followed * FORWARD  # PGD and the U-Net, and every codec after them
    apgd = suite.apgd_restarts * suite.apgd_steps
    strong = suite.pgd_restarts * suite.pgd_steps + suite.square_queries * FORWARD
    adaptive = (followed - 1) * (suite.adaptive_steps + 2 * FORWARD) if suite.adaptive_steps else 0
    curve = (len(evaluate.eps_curve) - 1) * (pgd + apgd) * evaluate.eps_frames / FRAMES
    clean = codecs * FORWARD
    return FLOAT32 * (clean + both), FLOAT32 * (clean + both + apgd + strong + adaptive + curve)


def _passes(params: Params) -> Iterator[tuple[str, float, str]]:
    """Stage, passes in units of one image in mixed precision, and why so many."""
    robust, unet = params.robust, params.unet
    faceless = params.baseline.model_copy(update={"epochs": params.faceless.epochs})
    counted = units(robust, "both")
    for stage, fit, each in (
        ("train_baseline", params.baseline, 1.0),
        ("train_faceless", faceless, 1.0),
        ("train_robust@robust", robust, counted),
        ("train_robust@longer", robust, 1.0),
    ):
        sizes = f"{fit.epochs} epochs of {fit.steps} steps of {fit.batch_size}"
        yield stage, fit.epochs * fit.steps * fit.batch_size * each, f"{sizes}, {each:g} a crop"
    epochs = DETECTORS * unet.epochs + unet.opening_epochs
    yield "fit_attacker, all", epochs * unet.steps * unet.batch_size, "1 a crop, without the U-Net's own"
    real, fake = evaluation_units(params)
    for name, (reals, fakes) in TESTED.items():
        why = f"{reals} real and {fakes} fake videos, at most {real:.0f} and {fake:.0f} passes a frame, float32 as 2"
        yield f"evaluate, all detectors, {name}", DETECTORS * FRAMES * (reals * real + fakes * fake), why


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f}"
