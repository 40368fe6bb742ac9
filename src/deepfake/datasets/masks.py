"""Where a dataset keeps the masks that say which pixels of a fake were forged."""

from collections.abc import Iterator
from pathlib import Path

from deepfake.params import DatasetParams
from deepfake.records import FAKE, FaceVideo, VideoKey


def mask_path(params: DatasetParams, video: FaceVideo) -> Path | None:
    """The mask video of a fake, frame by frame as long as the fake itself; None where the dataset has none.

    FaceForensics++ has `<Method>/masks/videos/000_003.mp4` beside `<Method>/<compression>`, its flat mirrors may leave
    `videos` out. Celeb-DF ships no masks; ones that were made for it are expected in `masks/Celeb-synthesis`.
    """
    if video.label != FAKE:
        return None
    return next((path for path in _candidates(params, video) if path.is_file()), None)


def _candidates(params: DatasetParams, video: FaceVideo) -> Iterator[Path]:
    root, name = Path(params.root), Path(video.path).name
    method = VideoKey.parse(video.video).method
    if params.layout == "ffpp":
        folders = [root / "manipulated_sequences" / method / "masks", root / method / "masks"]
    elif params.layout == "celebdf":
        folders = [root / "masks" / method]
    else:
        return
    for folder in folders:
        yield folder / "videos" / name
        yield folder / name
