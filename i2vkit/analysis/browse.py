"""Pictures and videos of the samples of a config after all transforms, as the network gets them."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, cast

import numpy as np
from mmengine.config import Config
from torch import Tensor
from torch.utils.data import DataLoader

from i2vkit.datasets.loaders import build_loader, trained_length
from i2vkit.datasets.point_files import COUNTS, mirror_order
from i2vkit.media import write_image, write_video
from i2vkit.values import refuse_beyond_memory, refuse_values
from i2vkit.visualization import evenly_spaced, to_frames
from i2vkit.visualization.overlays import (
    MAP_COLOURS,
    colour_maps,
    draw_box,
    draw_points,
    draw_skeleton,
    enlarge,
    framed,
)
from i2vkit.visualization.strips import title
from i2vkit.visualization.typography import FAINT, blank, text_box, widen

COLUMNS = 8  # frames of a sample in the picture
SMALLEST = 128  # height of a frame in the picture, at least, in pixels
SECONDS = 3.0  # how long the video goes on repeating itself, at least
GAP, MARGIN, LINE = 2, 10, 18
NOTE = (
    "framed in pink: the image that is animated; pixels are enlarged, not smoothed. Orange and blue: points that "
    "change places in a mirror (of joints, orange is the person's own left)"
)


def browse(cfg: Config, split: str, number: int, out: Path, seed: int | None = None) -> list[Path]:
    """Write ``out/SPLIT.png`` and ``out/SPLIT.mp4`` of the samples that a training would see first.

    If a split has a fixed order, the samples are spread over all of it.

    Args:
        cfg: A config from ``load_config``. It may describe data only.
        split: "train", "val" or "test".
        number: How many samples to draw, at least 1.
        out: The folder for the two files.
        seed: The seed of the order. By default the config's.

    Returns:
        The paths of the picture and of the video.

    Raises:
        I2VError: ``number`` is below 1, or the config or its data are wrong.
    """
    refuse_values(number=(number, int), seed=(seed, int | None))
    loader = build_loader(cfg, split, seed, workers=0)
    size = cfg[f"{split}_dataloader"].dataset.get("size") or 1
    height, width = size if isinstance(size, list | tuple) else (size, size)
    refuse_beyond_memory(
        f"a page of {number} samples", number * (trained_length(cfg) or 1) * height * width * 3, "Lower --number"
    )
    samples = [Sample(item) for item in pick(loader, number)]
    heading = (
        f"{Path(cfg.filename or 'config').stem}, {split}: {len(samples)} samples of {len(cast(Sized, loader.dataset))}"
    )
    picture, video = out / f"{split}.png", out / f"{split}.mp4"
    write_image(picture, sheet(samples, heading))
    write_video(video, moving_sheet(samples), samples[0].fps)
    return [picture, video]


def pick(loader: DataLoader, number: int) -> Iterator[dict]:
    """Return an iterator over ``number`` samples of the loader's data set, in the order of its sampler."""
    if getattr(loader.sampler, "ordered", False):
        ordered = list(loader.sampler)
        keys = iter([ordered[index] for index in evenly_spaced(len(ordered), number)])
    else:
        keys = islice(loader.sampler, number)
    return (loader.dataset[key] for key in keys)


class Sample:
    """A sample of ``PackClip``, ready to be drawn.

    Attributes:
        frames: The frames of the driving clip, with all known points and boxes drawn onto them, uint8 (T, H, W, 3).
        others: The image video and the truth by name, if they differ from the driving clip.
        image: The image, framed, uint8 (H, W, 3).
        maps: The condition maps of the driving clip, (M, T, H, W), or None.
        image_maps: The condition maps of the image, (M, H, W), or None.

    Frames and image are enlarged by the whole number ``factor``.
    """

    def __init__(self, item: dict[str, Any]) -> None:
        inputs, sample = item["inputs"], item["data_samples"]
        plain = to_frames(inputs["driving"])  # (3, T, H, W) -> (T, H, W, 3)
        # Small pictures are enlarged at least twice, so that thin lines drawn onto them do not hide them.
        self.factor = max(2, ceil(SMALLEST / plain.shape[1]))
        self.fps = sample.get("fps", 25.0)
        self.name = title(sample)
        people = " onto ".join(dict.fromkeys([sample.driving_person, sample.image_person]))
        self.caption = ", ".join(filter(None, [sample.label_name, f"person {people}"]))
        self.states = inputs.get("states")
        # Only the model's inputs have joints and boxes, and only the sample's metadata has landmarks.
        points = {name: _numpy(inputs.get(name)) for name in ("joints", "boxes")}
        points["landmarks"] = _numpy(sample.get("landmarks"))
        known = {name: values for name, values in points.items() if values is not None}
        frames = []
        for t, frame in enumerate(plain):
            points_of_frame = {name: values[t] for name, values in known.items()}
            frames.append(self._drawn(frame, points_of_frame))
        self.frames = np.stack(frames)
        videos = {"image_video": inputs.get("image_video"), "truth": sample.get("truth")}
        self.others = {
            name: np.stack([enlarge(frame, self.factor) for frame in to_frames(video)])
            for name, video in videos.items()
            if video is not None and not np.array_equal(video, inputs["driving"])
        }
        self.has_image_video = "image_video" in inputs
        # (3, H, W) -> (H, W, 3)
        self.image = framed(enlarge(sample.image.permute(1, 2, 0).numpy(), self.factor))
        self.maps, self.image_maps = _numpy(inputs.get("driving_maps")), _numpy(inputs.get("image_maps"))

    def _drawn(self, frame: np.ndarray, points: dict[str, np.ndarray]) -> np.ndarray:
        """Return the enlarged frame with its box, landmarks and joints."""
        picture = enlarge(frame, self.factor)
        if "boxes" in points:
            draw_box(picture, points["boxes"], self.factor)
        if "landmarks" in points:
            count = len(points["landmarks"])
            # Points that a mirror exchanges get two colours, which shows whether flipping renames them.
            draw_points(picture, points["landmarks"], self.factor, mirror_order(count) if count in COUNTS else None)
        if "joints" in points:
            draw_skeleton(picture, points["joints"], self.factor)
        return picture


def _numpy(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.numpy()


def sheet(samples: list[Sample], heading: str) -> np.ndarray:
    """Return a picture of all samples below one another, uint8 (H, W, 3).

    Each sample shows its names, its image, frames at even distances, and the videos and maps that belong to it.
    """
    blocks = [block for sample in samples for block in (_block(sample), blank(MARGIN, 1))]
    maps = max((len(sample.maps) for sample in samples if sample.maps is not None), default=0)
    width = max(640, *(block.shape[1] for block in blocks))
    lines = [text_box(heading, LINE + 4, width, size=15), text_box(NOTE, LINE, width, size=11, colour=FAINT)]
    lines += [_legend(maps)] if maps > 1 else []
    page = np.concatenate([widen(part, width) for part in (*lines, blank(MARGIN, 1), *blocks)])
    # The last block already ends with a margin.
    return np.pad(page, ((MARGIN, 0), (MARGIN, MARGIN), (0, 0)), constant_values=255)


def _block(sample: Sample) -> np.ndarray:
    """Return the picture of one sample: its names, then rows of frames with the image in the first column."""
    shown = evenly_spaced(len(sample.frames), COLUMNS)
    widths = [sample.image.shape[1], *[sample.frames.shape[2]] * len(shown)]
    notes = [f"frame {t}" + ("" if sample.states is None else f", state {sample.states[t]}") for t in shown]
    rows = [_row([_small(text, width) for text, width in zip(["image", *notes], widths, strict=True)])]
    rows.append(_row([sample.image, *sample.frames[shown]]))
    for name, video in sample.others.items():
        # Image video and truth may be shorter than the driving clip: repeat their last frame.
        frames = video[[min(t, len(video) - 1) for t in shown]]
        rows.append(_row([text_box(f"{name}  ", LINE, widths[0], align="right", size=11, colour=FAINT), *frames]))
    if sample.maps is not None or sample.image_maps is not None:
        maps = [None] * len(shown)
        if sample.maps is not None:
            maps = list(sample.maps[:, shown].swapaxes(0, 1))  # (M, T, H, W) -> (T, M, H, W)
        columns = zip([sample.image_maps, *maps], widths, strict=True)
        rows.append(_row([_small_map(one, width) for one, width in columns]))
    width = rows[1].shape[1]  # of the frames, the widest row
    parts = [text_box(f"{sample.caption}    {sample.name}", LINE, width)]
    for row in rows:
        parts += [widen(row, width), blank(GAP, width)]
    return np.concatenate(parts)


def _small_map(maps: np.ndarray | None, width: int) -> np.ndarray:
    """Return the picture of condition maps (M, H, W) at the model's size, centred in a column of ``width`` pixels."""
    picture = blank(1, 1) if maps is None else colour_maps(maps)
    left = (width - picture.shape[1]) // 2
    return widen(np.pad(picture, ((0, 0), (left, 0), (0, 0)), constant_values=255), width)


def _legend(number: int) -> np.ndarray:
    """Return a row that shows the colour of each condition map."""
    cells = [_small("maps:", 40)]
    for index in range(min(number, len(MAP_COLOURS))):
        swatch = blank(LINE, 14)
        swatch[3:-3] = MAP_COLOURS[index]
        cells += [swatch, _small(f"{index}", 24)]
    return _row(cells)


def moving_sheet(samples: list[Sample]) -> Iterator[np.ndarray]:
    """Yield pages with all samples side by side, one page a frame, uint8 (H, W, 3).

    Shorter samples hold their last frame.
    """
    tiles = [partial(_tile, sample) for sample in samples]
    first = [tile(0) for tile in tiles]
    height, width = (max(tile.shape[axis] for tile in first) for axis in (0, 1))
    # So many columns that the page is about as wide as a 16:9 screen.
    columns = min(len(tiles), max(1, round((len(tiles) * 16 / 9 * height / width) ** 0.5)))
    length = max(len(sample.frames) for sample in samples)
    # Short clips are repeated, so that a viewer has time to see them.
    for t in range(length * ceil(SECONDS * samples[0].fps / length)):
        page = blank(ceil(len(tiles) / columns) * (height + GAP), columns * (width + GAP))
        for index, tile in enumerate(tiles):
            picture = tile(t % length)
            top, left = index // columns * (height + GAP), index % columns * (width + GAP)
            page[top : top + len(picture), left : left + picture.shape[1]] = picture
        yield page


def _tile(sample: Sample, t: int) -> np.ndarray:
    """Return a sample at time ``t``: its label and people, its frame, and before that an image from another clip."""
    t = min(t, len(sample.frames) - 1)
    row = _row([sample.image, sample.frames[t]] if sample.has_image_video else [sample.frames[t]])
    return np.concatenate([_small(sample.caption, row.shape[1]), row])


def _row(cells: list[np.ndarray]) -> np.ndarray:
    """Return the cells beside one another, each centred in the row's height."""
    height = max(map(len, cells))
    parts = []
    for cell in cells:
        above = (height - len(cell)) // 2
        margins = ((above, height - len(cell) - above), (0, 0), (0, 0))
        parts += [np.pad(cell, margins, constant_values=255), blank(height, GAP)]
    return np.concatenate(parts[:-1], axis=1)  # without the gap after the last cell


def _small(text: str, width: int) -> np.ndarray:
    return text_box(text, LINE, width, size=11, colour=FAINT)
