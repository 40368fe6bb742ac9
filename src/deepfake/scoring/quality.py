"""When a face is too poor for an answer: the threshold was fitted on faces that had none of these faults.

docs/scoring.md has what happens to false alarms beyond each limit.
"""

from statistics import median

import cv2
import numpy as np

from deepfake.params import CropsParams, FacesParams
from deepfake.scoring.people import Person

# Training shows the detector crops that were shrunk to a half and enlarged again (baseline.augment.rescale_to), and
# none coarser.
MAX_UPSCALE = 2.0
# Half of the sample's validation crops are below it after a blur of sigma 1, the strongest in training
# (baseline.augment.blur_sigma); the lowest of them has 0.14 without a blur.
MIN_SHARPNESS = 0.04
# The lowest of the sample's training and validation crops has 6, and those drained of four fifths of their colour have
# 6 in the middle; training takes or adds at most one fifth (baseline.augment.color_strength).
MIN_COLOUR = 5.0
# Nobody in the sample's validation and test videos is found in less than half of the frames.
MIN_FOUND = 0.5

_MEASURED_AT = 64  # side of a crop, whatever the detector's: the limit of sharpness holds for one size only


def doubts(person: Person, *, scale: float, turn: int, faces: FacesParams, crops: CropsParams) -> list[str]:
    """Why a face cannot be judged, in words; nothing if it can.

    Args:
        person: with at least one crop.
        scale: pixels of the file for one of the frame that faces were searched in.
        turn: degrees by which the file has to be turned for the face to stand upright.
        faces, crops: settings of the checkpoint.
    """
    reasons = [f"turned: found with more certainty after a turn by {turn} degrees to the left"] if turn else []
    upscale, side = crops.size / (crops.margin * person.side), person.side / scale
    if upscale > MAX_UPSCALE:
        reasons.append(f"tiny: its crop is enlarged {upscale:.2f} times, more than {MAX_UPSCALE:g}")
    elif side < faces.min_face:
        reasons.append(f"tiny: {side:.0f} px where faces are searched, less than {faces.min_face}")
    if (sharp := person_sharpness(person)) < MIN_SHARPNESS:
        reasons.append(f"blurred: sharpness {sharp:.3f}, less than {MIN_SHARPNESS}")
    if (colour := person_colour(person)) < MIN_COLOUR:
        reasons.append(f"without colour: {colour:.0f} grey levels between channels, less than {MIN_COLOUR:g}")
    if person.frames_found < MIN_FOUND * len(person.rows):
        reasons.append(f"fleeting: found in {person.frames_found} of the {len(person.rows)} frames of its clips")
    return reasons


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian of a crop divided by the variance of its grey values: 0 for one without any detail.

    The usual measure of focus (Pech-Pacheco et al. 2000); the division keeps dim light from passing for blur.

    Args:
        crop: uint8 RGB (S, S, 3); larger ones are shrunk to 64 pixels first.
    """
    if len(crop) > _MEASURED_AT:
        crop = cv2.resize(crop, (_MEASURED_AT, _MEASURED_AT), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    spread = grey.var()
    return float(cv2.Laplacian(grey, cv2.CV_64F).var() / spread) if spread else 0.0


def person_sharpness(person: Person) -> float:
    """Median sharpness of a person's crops."""
    return median(map(sharpness, person.crops))


def person_colour(person: Person) -> float:
    """Distance in grey levels between the largest and the smallest channel: the median over a person's pixels."""
    return float(np.median(person.crops.max(axis=-1) - person.crops.min(axis=-1)))
