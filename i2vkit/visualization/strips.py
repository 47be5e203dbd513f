"""Strips: still pictures that show some frames of a video side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from i2vkit.media.files import FrameError
from i2vkit.structures import VideoSample
from i2vkit.visualization.typography import FAINT, blank, fit, text_box, text_width, widen

GAP = 2
MARGIN = 10
LINE = 20
LABEL_WIDTH = (76, 160)  # least and greatest width of the column of labels


def evenly_spaced(num_frames: int, num: int) -> list[int]:
    """Return the indices of at most ``num`` frames, evenly spaced over ``num_frames``, with the first and the last.

    Examples:
        >>> from i2vkit.visualization.strips import evenly_spaced
        >>> evenly_spaced(16, 6)
        [0, 3, 6, 9, 12, 15]
        >>> evenly_spaced(3, 8)
        [0, 1, 2]
    """
    num = min(num, num_frames)
    return [round(index) for index in np.linspace(0, num_frames - 1, num).tolist()]


def video_strip(video: np.ndarray, num: int | None = 8, height: int | None = None) -> np.ndarray:
    """Return evenly spaced frames of a video side by side.

    Args:
        video: (T, H, W, 3) uint8.
        num: The greatest number of frames. None shows all of them.
        height: The height of the strip in pixels. None takes that of the video.

    Returns:
        uint8 (height, about num * W, 3), with a white gap of 2 pixels between frames.

    Raises:
        FrameError: The video has no frames.
    """
    if video.ndim != 4 or len(video) == 0:
        raise FrameError(f"expected a video (T, H, W, 3) with frames, got {video.shape}")
    height = height or video.shape[1]
    width = round(video.shape[2] * height / video.shape[1])
    picked = [fit(video[index], height, width) for index in evenly_spaced(len(video), num or len(video))]
    gap = blank(height, GAP)
    return np.concatenate([part for frame in picked for part in (gap, frame)][1:], axis=1)


def to_frames(video: Tensor) -> np.ndarray:
    """Convert a video of a sample, uint8 (C, T, H, W), to an array (T, H, W, C)."""
    return video.permute(1, 2, 3, 0).cpu().numpy()  # (C, T, H, W) -> (T, H, W, C)


def comparison_strip(samples: Sequence[VideoSample], num: int = 8, height: int = 96) -> np.ndarray:
    """Return samples below one another, each with its image and rows for its driving, true and generated video.

    A row that a sample lacks is left out. So is ``driving`` if it equals the ground truth.

    Args:
        samples: Samples with ``generated`` and, if known, ``image``, ``driving`` and ``truth``.
        num: The number of frames shown of each video, evenly spaced.
        height: The height of a frame in the picture, in pixels.

    Returns:
        uint8 (H, W, 3), on white.

    Raises:
        FrameError: There are no samples.
    """
    if not samples:
        raise FrameError("no samples to show")
    blocks = []
    for sample in samples:
        image = sample.image.permute(1, 2, 0).cpu().numpy() if "image" in sample else None
        blocks.append(labelled_strips(_rows(sample), image, title(sample), num, height))
    width = max(block.shape[1] for block in blocks)
    # Videos may differ in length or shape, so narrower blocks are filled up on the right.
    blocks = [widen(block, width) for block in blocks]
    return np.concatenate(blocks)


def title(sample: VideoSample) -> str:
    """Return the title of a sample: "driving onto image" in a transfer between two clips, else its name."""
    driving, image_video = sample.get("driving_name"), sample.get("image_name")
    return sample.get("name", "") if not image_video or image_video == driving else f"{driving} onto {image_video}"


def _rows(sample: VideoSample) -> dict[str, np.ndarray]:
    """Return the videos of a sample by label, from top to bottom."""
    videos = {name: to_frames(sample.get(name)) for name in ("driving", "truth", "generated") if name in sample}
    if "driving" in videos and "truth" in videos and np.array_equal(videos["driving"], videos["truth"]):
        del videos["driving"]
    return videos


def labelled_strips(
    videos: dict[str, np.ndarray], image: np.ndarray | None = None, name: str = "", num: int = 8, height: int = 96
) -> np.ndarray:
    """Return strips of several videos below one another, with labels, frame numbers and the input image.

    Args:
        videos: By label, (T, H, W, 3) uint8, all of one length. The last one is the video that was made from the image.
        image: (H, W, 3) uint8, shown left of the last row.
        name: A title above the strips.
        num: The number of frames shown, evenly spaced.
        height: The height of a frame in the picture, in pixels.

    Returns:
        uint8 (H, W, 3), with a white margin.
    """
    strips = {label: video_strip(video, num, height) for label, video in videos.items()}
    width = max(strip.shape[1] for strip in strips.values())
    last = list(videos.values())[-1]
    frame_width = round(height * last.shape[2] / last.shape[1])

    numbers = [_small(str(t), frame_width + GAP) for t in evenly_spaced(len(last), num)]
    least, most = LABEL_WIDTH
    label_width = min(most, max(least, *(text_width(label) + MARGIN for label in strips)))
    labels, frames = [blank(LINE, label_width)], [widen(np.concatenate(numbers, axis=1)[:, :width], width)]
    for label, strip in strips.items():
        labels += [text_box(label, height, label_width), blank(GAP, label_width)]
        frames += [widen(strip, width), blank(GAP, width)]
    columns = [np.concatenate(labels), np.concatenate(frames)]
    total = len(columns[0])
    if image is not None:
        # The image is at the height of the last row, with its caption right above it.
        column = np.concatenate(
            [_small("image", frame_width), fit(image, height, frame_width), blank(GAP, frame_width)]
        )
        columns[1:1] = [np.concatenate([blank(total - len(column), frame_width), column]), blank(total, MARGIN)]
    body = np.concatenate(columns, axis=1)
    if name:
        body = np.concatenate([text_box(name, LINE, body.shape[1]), body])
    return np.pad(body, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)


def _small(text: str, width: int) -> np.ndarray:
    """Return a line of small grey text on white, uint8 (LINE, width, 3)."""
    return text_box(text, LINE, width, size=11, colour=FAINT)
