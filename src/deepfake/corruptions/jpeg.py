"""JPEG by libjpeg through OpenCV: 4:2:0, as pictures on the web have it."""

import cv2
import numpy as np


def jpeg(picture: np.ndarray, *, quality: int) -> np.ndarray:
    """A picture after JPEG compression.

    Args:
        picture: uint8 RGB (H, W, 3).
        quality: libjpeg's quality, 1 to 100.

    Returns:
        The decoded picture, uint8 RGB (H, W, 3).
    """
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
