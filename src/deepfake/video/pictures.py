"""Reading pictures that come from strangers: what one may cost is bounded by its pixels."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from deepfake.errors import MediaError
from deepfake.video.decoding import require_file

MAX_PICTURE_PIXELS = 2**26
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is another, and a warning at first
_MOST_BYTES = 8 * MAX_PICTURE_PIXELS  # that are read of a file; there may be anything behind the picture


def read_image(path: Path) -> np.ndarray:
    """A picture file as uint8 RGB (H, W, 3), turned as its EXIF data say; deeper colours are cut to 8 bits.

    Raises:
        MediaError: the file is missing, no picture, or one of more than MAX_PICTURE_PIXELS.
    """
    require_file(path)
    try:
        with Image.open(path) as picture:  # reads the header only, where OpenCV would go on and fill the memory
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise MediaError(f"{path}: not a picture, or a damaged one") from error
    if width * height > MAX_PICTURE_PIXELS:
        raise MediaError(f"{path}: {width}x{height}, a picture may have at most {MAX_PICTURE_PIXELS} pixels")
    data = np.fromfile(path, np.uint8, _MOST_BYTES)  # cv2.imread would die of a name that is not UTF-8
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise MediaError(f"{path}: not a picture that OpenCV can read ({error.err})") from error
    if image is None:
        raise MediaError(f"{path}: not a picture that OpenCV can read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
