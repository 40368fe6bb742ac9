"""Rendered people: a real face detector takes them for faces, and they move, blink and speak."""

from dataclasses import replace

import numpy as np
import pytest

from deepfake.sample.camera import Camera
from deepfake.sample.expression import Expression, express
from deepfake.sample.forging import forge
from deepfake.sample.head import Head, paint_head
from deepfake.sample.identities import HAIR_STYLES, SKIN_TONES, draw_identity
from deepfake.sample.lighting import LIGHT_NAMES, draw_light
from deepfake.sample.motion import draw_expressions, draw_poses
from deepfake.sample.plane import plane
from deepfake.sample.recipes import draw_recipe
from deepfake.sample.scene import Scene, film
from deepfake.sample.screen import Screen

CALM = Expression(lids=1.0, gaze=(0.0, 0.0), jaw=0.0, smile=0.0, brows=0.0)


@pytest.fixture(scope="module")
def head() -> Head:
    return paint_head(draw_identity(3, "I-II", "short"), draw_light(3, "frontal"))


def _changed(head: Head, expression: Expression) -> np.ndarray:
    """Where (H, W) an expression differs clearly from a calm face."""
    calm, moved = (express(head, head.front, moment) for moment in (CALM, expression))
    return np.abs(calm - moved).max(axis=-1) > 0.1


def test_mtcnn_finds_one_face_of_sensible_size_that_holds_the_forgery() -> None:
    mtcnn = pytest.importorskip("facenet_pytorch").MTCNN(keep_all=True, min_face_size=40)
    for number, style in enumerate(HAIR_STYLES[::2]):
        person = draw_identity(number, SKIN_TONES[number % 3], style)
        light = draw_light(number, LIGHT_NAMES[number % 4])
        camera = Camera(noise="high", blur=0.7, contrast=1.0, crf=20, preset="veryfast")
        take = film(Scene(number, person, light, "wall", camera), Screen(320, 240), 1)
        forgery = forge(take, take, draw_recipe("FaceSwap", number), number)
        boxes, probabilities = mtcnn.detect(take.frames[0])
        ((x0, y0, x1, y1),) = boxes[probabilities > 0.9]
        assert 85 < y1 - y0 < 160
        rows, columns = np.where(forgery.masks[0])
        assert x0 - 2 <= columns.min()
        assert columns.max() <= x1 + 2
        assert y0 <= rows.min()
        assert rows.max() <= y1 + 2


def test_a_blink_changes_the_eyes_and_nothing_else(head: Head) -> None:
    u, v = plane()
    shape = head.identity.shape
    eyes = np.hypot((np.abs(u) - shape.eye_distance) / 0.40, v / 0.35) < 1
    changed = _changed(head, replace(CALM, lids=0.0))
    assert changed.sum() > 200
    assert not (changed & ~eyes).any()


def test_a_dropped_jaw_opens_a_dark_mouth(head: Head) -> None:
    u, v = plane()
    shape = head.identity.shape
    inside = (np.abs(u) < 0.1) & (np.abs(v - shape.mouth_height - 0.11) < 0.02)
    calm, speaking = (express(head, head.front, moment) for moment in (CALM, replace(CALM, jaw=0.2)))
    assert speaking[inside].mean() < calm[inside].mean() - 0.15


def test_turning_the_head_shifts_its_middle_more_than_its_edge(head: Head) -> None:
    u, v = plane()
    middle = head.depth[(np.abs(u) < 0.1) & (np.abs(v - 0.5) < 0.1)].mean()
    edge = head.depth[(np.abs(np.abs(u) - 0.85) < 0.05) & (np.abs(v) < 0.1)].mean()
    assert middle > edge + 0.3


def test_heads_move_smoothly_and_speak() -> None:
    poses = np.array([(pose.x, pose.y, pose.yaw, pose.roll) for pose in draw_poses(5, 100)])
    assert (np.ptp(poses, axis=0) > 0.02).all()
    assert np.abs(np.diff(poses, axis=0)).max() < 0.06
    jaws = [moment.jaw for moment in draw_expressions(5, 100)]
    assert max(jaws) > 0.05 > 0.02 > min(jaws)


def test_every_skin_tone_is_darker_than_the_one_before_it() -> None:
    levels = [np.mean([draw_identity(seed, tone, "buzz").skin for seed in range(30)]) for tone in SKIN_TONES]
    assert levels[0] > levels[1] + 0.1 > levels[2] + 0.2
