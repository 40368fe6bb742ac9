"""Pictures: one scale in a row, the same bytes for the same data, and faces of any kind."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from deepfake.explain.looking import Face, Look
from deepfake.explain.panels import Row, draw_panel, probability, scale_of
from deepfake.explain.perturbations import AttackedFace, amplification, amplify, draw_perturbations
from deepfake.findings import Explanation
from deepfake.records import Calibration, CropRow

SIZE = 32
NUMBERS = Explanation("baseline", "train", "clean", "ffpp/FaceSwap/0_1", 3, 1.5, 0.2, 0.4, 1.3, 0.7)
CALIBRATION = Calibration(frame_threshold=0.5, video_threshold=0.5, temperature=2.0)


def crop(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def look(strength: float) -> Look:
    evidence = strength * np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
    return Look(crop(), evidence, 2 * strength)


def face(region: np.ndarray | None) -> Face:
    return Face(CropRow("ffpp/FaceSwap/0_1", 0, 3, 0, 0, 2.0, 2.0, 30.0, 30.0), crop(), region)


def rows(*strengths: float) -> list[Row]:
    titles = ("clean", "PGD attack", "U-Net attack")
    seen = {title: (look(strength), NUMBERS) for title, strength in zip(titles, strengths, strict=True)}
    return [Row(name, CALIBRATION, seen) for name in ("baseline", "robust")]


def inner() -> np.ndarray:
    region = np.zeros((SIZE, SIZE), dtype=bool)
    region[8:24, 8:24] = True
    return region


def decode(png: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def attacked_face(video: str = "ffpp/FaceSwap/0_1") -> AttackedFace:
    noise = np.random.default_rng(1).integers(-8, 9, (SIZE, SIZE, 3))
    attacked = np.clip(crop() + noise, 0, 255).astype(np.uint8)
    attacks = {"PGD": attacked, "U-Net": crop()}
    return AttackedFace(video, crop(), {"baseline": attacks, "robust": attacks})


@pytest.fixture(scope="module")
def panel() -> bytes:
    return draw_panel(face(inner()), rows(1.0, 0.2, 0.5), eps=8 / 255)


def test_the_same_panel_has_the_same_bytes(panel: bytes) -> None:
    assert panel == draw_panel(face(inner()), rows(1.0, 0.2, 0.5), eps=8 / 255)
    assert decode(panel).shape[1] > 800
    assert len(panel) < 250_000


def test_a_panel_shows_what_it_is_given(panel: bytes) -> None:
    assert panel != draw_panel(face(inner()), rows(1.0, 0.3, 0.5), eps=8 / 255)
    assert panel != draw_panel(face(None), rows(1.0, 0.2, 0.5), eps=8 / 255)


@pytest.mark.parametrize("region", [np.zeros((SIZE, SIZE), bool), np.ones((SIZE, SIZE), bool)])
@pytest.mark.filterwarnings("error")
def test_empty_maps_unknown_numbers_and_boundless_regions_are_drawn(region: np.ndarray) -> None:
    unknown = replace(NUMBERS, overlap=float("nan"), stability=float("nan"))
    seen = {title: (look(0.0), unknown) for title in ("clean", "PGD attack")}
    assert decode(draw_panel(face(region), [Row("baseline", CALIBRATION, seen)], eps=8 / 255)).any()


def test_a_row_without_evidence_has_no_colour_bar() -> None:
    right = slice(925, None)  # of the tiles
    empty, full = (draw_panel(face(None), rows(*[strength] * 3)[:1], eps=8 / 255) for strength in (0.0, 1.0))
    assert (decode(empty)[:, right] == 255).all()
    assert (decode(full)[:, right] != 255).any()


def test_a_name_with_a_dollar_sign_and_one_without_end_are_drawn(panel: bytes) -> None:
    named = replace(face(None), row=replace(face(None).row, video=f"manifest/$_{'long' * 9}/{'endless' * 20}$"))
    assert decode(draw_panel(named, rows(1.0, 0.2, 0.5), eps=8 / 255)).shape == decode(panel).shape


def test_the_scale_of_a_row_is_its_largest_relevance() -> None:
    assert scale_of([look(0.2), look(3.0), look(1.0)]) == pytest.approx(3.0)
    assert scale_of([look(0.0)]) == 1.0


def test_probability_is_calibrated_and_never_overflows() -> None:
    assert probability(0.0, CALIBRATION) == 0.5
    assert probability(2.0, CALIBRATION) == pytest.approx(1 / (1 + np.exp(-1)))
    assert [probability(logit, CALIBRATION) for logit in (-1e6, 1e6)] == [0, 1]


def test_a_change_is_amplified_around_grey_and_just_stays_within_black_and_white() -> None:
    assert amplification(8 / 255) == 15
    assert amplification(0.5) == 1
    clean = np.full((2, 2, 3), 100, np.uint8)
    for change, expected in ((0, 128), (-8, 8), (8, 248), (1, 143)):
        assert (amplify((clean.astype(int) + change).astype(np.uint8), clean, 15) == expected).all()


def test_the_same_sheet_of_perturbations_has_the_same_bytes() -> None:
    first, second = (draw_perturbations([attacked_face()], eps=8 / 255) for _ in range(2))
    assert first == second
    assert len(first) < 250_000
    two = draw_perturbations([attacked_face(), attacked_face("celebdf/Celeb-synthesis/id0_id1_0000")], eps=8 / 255)
    grown = np.subtract(decode(two).shape, decode(first).shape)
    assert 300 < grown[0] < 400
    assert grown[1] == 0
