from hypothesis import given
from hypothesis import strategies as st

from deepfake.faces.sampling import plan_clips
from deepfake.params import ClipParams


@given(st.integers(1, 2000), st.integers(1, 64), st.integers(1, 32))
def test_clips_are_consecutive_disjoint_and_inside_the_video(frames: int, clips: int, length: int) -> None:
    plan = plan_clips(frames, ClipParams(clips=clips, length=length))
    numbers = [number for clip in plan for number in clip]
    assert 1 <= len(plan) <= clips
    assert {len(clip) for clip in plan} == {min(length, frames)}
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
    assert numbers[0] >= 0
    assert numbers[-1] < frames


def test_clips_are_spread_over_the_whole_video() -> None:
    assert plan_clips(100, ClipParams(clips=2, length=10)) == [range(20, 30), range(70, 80)]


def test_a_video_too_short_for_all_clips_gets_whole_ones() -> None:
    assert len(plan_clips(9, ClipParams(clips=4, length=4))) == 2
