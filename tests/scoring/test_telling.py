"""What is said of a detector."""

from deepfake.scoring.telling import CAUTION, tell_models


def test_a_model_is_introduced_by_what_its_checkpoint_says_and_by_no_measurement() -> None:
    training = {
        "stage": "train_robust",
        "datasets": "ffpp",
        "methods": "Deepfakes, FaceSwap",
        "videos": 150,
        "val/auc": 0.9,
    }
    first, second = tell_models([("a.pt", training), ("b.pt", {})])
    facts = "stage train_robust, datasets ffpp, methods Deepfakes, FaceSwap, videos 150"
    assert first == f"model: a.pt ({facts}): {CAUTION}"
    assert second == "beside: b.pt (no word on its training)"


def test_a_layout_is_not_passed_off_as_the_dataset_that_it_is_named_after() -> None:
    (told,) = tell_models([("a.pt", {"datasets": "ffpp"})])
    assert told.index("datasets ffpp") < told.index("the name of its folder layout")
