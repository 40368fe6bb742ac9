"""What is said of training crops."""

from pathlib import Path

from crop_folders import face_video

from deepfake.crops.shards import CropSet
from deepfake.params import load_params
from deepfake.records import CropRow
from deepfake.training.training_set import trained_on

ROOT = Path(__file__).parents[2]


def test_people_who_share_a_forgery_count_as_one_group_and_a_video_without_a_crop_does_not_count() -> None:
    crops_of = {
        "ffpp/original/0": 3,
        "ffpp/original/1": 2,
        "ffpp/original/2": 1,
        "ffpp/FaceSwap/0_1": 4,
        "ffpp/F2F/2_3": 0,
    }
    clusters = dict(zip(crops_of, "00202", strict=True))
    videos = {key: face_video(key, cluster=clusters[key]) for key in crops_of}
    rows = [CropRow(key, 0, frame, 0, 0, 2.0, 2.0, 14.0, 14.0) for key, n in crops_of.items() for frame in range(n)]
    crops, augment = CropSet(videos, rows, shards={}), load_params(ROOT / "params.yaml").baseline.augment
    told = trained_on(crops, augment)
    assert told == {"datasets": "ffpp", "methods": "FaceSwap", "groups of people": 2, "videos": 4, "crops": 10}
    blended = trained_on(crops, augment.model_copy(update={"self_blended": True}))
    assert blended == {**told, "methods": "FaceSwap, self-blended"}
