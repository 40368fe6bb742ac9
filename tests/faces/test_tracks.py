from deepfake.faces.tracks import clip_box, dominant_track, link_tracks
from deepfake.records import Box, Detection


def face(x: float, y: float = 50, side: float = 40, probability: float = 0.99) -> Detection:
    return Detection(Box(x, y, x + side, y + side), probability)


def test_two_people_stay_apart_while_both_move() -> None:
    detections = {n: [face(10 + 3 * n), face(200 - 3 * n)] if n % 2 else [face(200 - 3 * n), face(10 + 3 * n)]
                  for n in range(10)}  # fmt: skip
    tracks = link_tracks(detections)
    assert len(tracks) == 2
    assert all(max(d.box.x0 for d in track.values()) - min(d.box.x0 for d in track.values()) == 27 for track in tracks)


def test_a_lone_speaker_who_jumps_less_than_a_face_is_one_track() -> None:
    assert len(link_tracks({0: [face(100)], 1: [face(130)], 2: [face(95)]})) == 1


def test_a_face_of_another_size_is_another_person() -> None:
    assert len(link_tracks({0: [face(100, side=40)], 1: [face(90, side=100)]})) == 2


def test_every_detection_is_in_exactly_one_track() -> None:
    detections = {n: [face(60 * k + n) for k in range(n % 4)] for n in range(12)}
    linked = [d for track in link_tracks(detections) for d in track.values()]
    assert sorted(linked) == sorted(d for found in detections.values() for d in found)


def test_a_gap_does_not_end_a_track() -> None:
    assert link_tracks({0: [face(100)], 1: [], 2: [face(105)]}) == [{0: face(100), 2: face(105)}]


def test_the_dominant_track_is_the_large_persistent_face_not_the_bystander() -> None:
    speaker = {n: face(100, side=80, probability=0.95) for n in range(8)}
    bystander = {n: face(300, side=30, probability=1.0) for n in range(10)}
    assert dominant_track([bystander, speaker]) == speaker
    assert dominant_track([]) == {}


def test_a_clip_gets_the_median_box_of_its_frames() -> None:
    track = {0: face(10), 1: face(12), 2: face(50), 9: face(400)}
    box = clip_box(track, range(3))
    assert box is not None
    assert box.box.x0 == 12
    assert clip_box(track, range(3, 8)) is None
