"""What validation decides: which epoch is kept, and how its logits are to be read.

One half of the validation people picks the epoch, the other fits the temperature: a temperature fitted where the
epoch was picked would be too confident.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from deepfake.metrics.calibration import fit_temperature
from deepfake.metrics.operating_point import TARGET_FPR, threshold_at_fpr
from deepfake.metrics.ranking import roc_auc
from deepfake.records import FAKE, REAL, Calibration, FaceVideo, FrameScore

Videos = Mapping[str, FaceVideo]
_LEEWAY = 1e-4  # logits: what another machine, or a batch of another size, makes of the same crop
_PRICE = 5.0  # of clean AUC below the least one, in AUC under attack


def halve(videos: Videos) -> tuple[Videos, Videos]:
    """Split videos by cluster into a half that picks and a half that calibrates.

    Clusters that hold reals, fakes or both are dealt out apart, so that a class which two of them have is in both
    halves. Where the second half still lacks one, it is all videos. Leave out videos without a crop: a half could have
    a class in their name only.
    """
    labels: dict[str, set[int]] = defaultdict(set)
    for video in videos.values():
        labels[video.cluster].add(video.label)
    picking: set[str] = set()
    for kind in ({REAL}, {FAKE}, {REAL, FAKE}):
        picking |= set(sorted(cluster for cluster, found in labels.items() if found == kind)[::2])
    pick = {key: video for key, video in videos.items() if video.cluster in picking}
    calibrate = {key: video for key, video in videos.items() if video.cluster not in picking}
    return pick, calibrate if {video.label for video in calibrate.values()} == {REAL, FAKE} else videos


def video_logits(scores: Iterable[FrameScore]) -> dict[str, float]:
    """Mean logit of every video."""
    frames: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        frames[score.video].append(score.logit)
    return {video: fmean(logits) for video, logits in frames.items()}


def video_auc(scores: Sequence[FrameScore], videos: Videos) -> float:
    """ROC-AUC of the mean logits of those scored videos that are among `videos`.

    Raises:
        DataError: they are all of one class.
    """
    means = {video: logit for video, logit in video_logits(scores).items() if video in videos}
    return roc_auc(list(means.values()), [videos[video].label for video in means])


def frame_loss(scores: Sequence[FrameScore], videos: Videos) -> float:
    """Mean binary cross-entropy, in nats, of the frames of those scored videos that are among `videos`."""
    frames = [(score.logit, float(videos[score.video].label)) for score in scores if score.video in videos]
    logits, labels = torch.tensor(frames).unbind(dim=1)
    return binary_cross_entropy_with_logits(logits, labels).item()


def robust_rank(least_auc: float) -> Callable[[Mapping[str, float]], tuple[float, ...]]:
    """How good a robust epoch is: its AUC under the watching PGD, less a price for a clean AUC below the least one.

    The U-Net of training is no measure: it is another opponent in every epoch, and an epoch in which it is weak would
    look like a robust detector.

    A mean of clean and attacked metrics would reward collapse: a constant scores .5 under any attack. A hard limit
    would throw a training away because of one of some dozen videos, the more so as the baseline's own AUC, which
    sets it, is that of its luckiest epoch.

    Args:
        least_auc: clean validation AUC below which each .01 costs .05 of the AUC under attack.

    Returns:
        A function of an epoch's `val/` metrics whose tuples compare.
    """

    def rank(metrics: Mapping[str, float]) -> tuple[float, ...]:
        price = _PRICE * max(0.0, least_auc - metrics["val/auc"])
        return metrics["val/watch_auc"] - price, metrics["val/auc"]

    return rank


def calibrate(scores: Sequence[FrameScore], videos: Videos) -> Calibration:
    """Thresholds on all clean validation reals, temperature on the half that did not pick the epoch.

    A threshold stands by a ten-thousandth above the highest real that it must not reach, so that rounding on another
    machine does not lift that one over it.

    Args:
        scores: of clean validation crops.
        videos: validation videos.

    Raises:
        DataError: they are all of one class.
    """
    means = video_logits(scores)
    _, half = halve({video: videos[video] for video in means})
    held_out = [video for video in means if video in half]
    real_frames = [score.logit for score in scores if videos[score.video].label == REAL]
    real_videos = [mean for video, mean in means.items() if videos[video].label == REAL]
    return Calibration(
        frame_threshold=threshold_at_fpr(real_frames, TARGET_FPR) + _LEEWAY,
        video_threshold=threshold_at_fpr(real_videos, TARGET_FPR) + _LEEWAY,
        temperature=fit_temperature([means[video] for video in held_out], [videos[video].label for video in held_out]),
    )
