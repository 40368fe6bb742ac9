"""One person filmed in one place: everything that an original and its forgeries share."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepfake.sample.backgrounds import paint_background
from deepfake.sample.body import paint_body, place_body
from deepfake.sample.camera import Camera, record
from deepfake.sample.expression import Expression, express
from deepfake.sample.head import Head, paint_head
from deepfake.sample.identities import Identity
from deepfake.sample.lighting import Light
from deepfake.sample.motion import Pose, draw_expressions, draw_poses
from deepfake.sample.screen import Screen, View, look_at


@dataclass(frozen=True)
class Scene:
    """What is filmed: who, in which light, where, with which camera.

    Attributes:
        seed: of movement, background and noise.
        identity: the person.
        light: the light.
        background: kind of place.
        camera: the camera.
    """

    seed: int
    identity: Identity
    light: Light
    background: str
    camera: Camera


@dataclass(frozen=True)
class Take:
    """A filmed scene.

    Attributes:
        scene: what was filmed.
        head: the painted head.
        poses, expressions: one per frame.
        views: where the head's plane is on each frame.
        frames: what the camera handed over, uint8 RGB (H, W, 3).
    """

    scene: Scene
    head: Head
    poses: list[Pose]
    expressions: list[Expression]
    views: list[View]
    frames: list[np.ndarray]


def film(scene: Scene, screen: Screen, length: int) -> Take:
    """Film a scene."""
    head = paint_head(scene.identity, scene.light)
    poses, expressions = draw_poses(scene.seed, length), draw_expressions(scene.seed, length)
    views = [look_at(screen, pose, head.depth) for pose in poses]
    pictures = _render(scene, screen, head, list(zip(poses, expressions, views, strict=True)))
    return Take(scene, head, poses, expressions, views, record(pictures, scene.camera, scene.seed))


def _render(
    scene: Scene, screen: Screen, head: Head, moments: list[tuple[Pose, Expression, View]]
) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) in [0, 1] as they are in front of the lens."""
    background = paint_background(scene.seed, scene.background, (screen.height, screen.width))
    body = paint_body(head)
    for pose, expression, view in moments:
        behind = place_body(body, screen, pose)
        picture = background * (1 - behind[..., 3:]) + behind[..., :3]
        covered = np.concatenate([head.turned(pose.yaw, pose.pitch), head.cover[..., None]], axis=-1)
        shown = view.show(express(head, covered, expression))
        part = picture[view.area]
        part += (shown[..., :3] - part) * shown[..., 3:]
        yield picture
