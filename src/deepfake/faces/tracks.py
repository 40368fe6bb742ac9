"""From the faces of single frames to the one person a video is about."""

from collections.abc import Mapping, Sequence
from math import hypot, inf, sqrt
from statistics import median

from deepfake.records import Box, Detection

MAX_MOVE = 1.0  # of the face's own side, from one sampled frame to the next: often more than a second
MAX_GROWTH = 2.0  # of that side

Track = dict[int, Detection]


def displacement(a: Box, b: Box) -> float:
    """How far a face moved in units of its side, or infinity if it grew or shrank too much to be the same.

    Overlap of the boxes would be the usual measure, but a second apart even a lone speaker's boxes may not overlap.
    """
    side_a, side_b = sqrt(a.area), sqrt(b.area)
    if max(side_a, side_b) > MAX_GROWTH * min(side_a, side_b):
        return inf
    return hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]) / max(1.0, min(side_a, side_b))


def link_tracks(detections: Mapping[int, Sequence[Detection]]) -> list[Track]:
    """Link each face to the nearest one seen before it, nearest pair first.

    Args:
        detections: the faces found, by frame number.

    Returns:
        Tracks, each a detection by frame number; every detection is in exactly one.
    """
    tracks: list[Track] = []
    for frame in sorted(detections):
        found = detections[frame]
        last = [track[max(track)].box for track in tracks]
        moves = [(displacement(box, face.box), t, d) for t, box in enumerate(last) for d, face in enumerate(found)]
        free_tracks, free_faces = set(range(len(tracks))), set(range(len(found)))
        for move, t, d in sorted(moves):
            if move <= MAX_MOVE and t in free_tracks and d in free_faces:
                tracks[t][frame] = found[d]
                free_tracks.remove(t)
                free_faces.remove(d)
        tracks.extend({frame: found[d]} for d in sorted(free_faces))
    return tracks


def dominant_track(tracks: Sequence[Track]) -> Track:
    """The most prominent track, the first of equals; an empty one if there is none."""
    return max(tracks, key=prominence, default={})


def prominence(track: Track) -> float:
    """How much a video is about a face: the sum of its area times probability."""
    return sum(detection.box.area * detection.probability for detection in track.values())


def clip_box(track: Track, clip: range) -> Detection | None:
    """One box for a whole clip: the median of the track's boxes in it; None if the face is in none of its frames."""
    found = [track[frame] for frame in clip if frame in track]
    if not found:
        return None
    box = Box(*(median(side) for side in zip(*(detection.box for detection in found), strict=True)))
    return Detection(box, median(detection.probability for detection in found))
