"""Which frames of a video are looked at."""

from deepfake.params import ClipParams


def plan_clips(frame_count: int, params: ClipParams) -> list[range]:
    """Runs of consecutive frame numbers, each in the middle of its equal share of the video.

    A video too short for all clips gets as many whole ones as fit; one shorter than a clip is one clip.

    Args:
        frame_count: frames that decode, at least 1.
        params: number and length of the clips wanted.
    """
    length = min(params.length, frame_count)
    clips = min(params.clips, frame_count // length)
    share = frame_count / clips
    starts = [int(number * share + (share - length) / 2) for number in range(clips)]
    return [range(start, start + length) for start in starts]
