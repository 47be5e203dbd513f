"""The last transform: it packs the sampled clips into the inputs of a model."""

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.datasets.frame_operations import DeferredFrames
from i2vkit.datasets.pair_samplers import Pair
from i2vkit.datasets.sampled_clip import SampledClip
from i2vkit.registry import TRANSFORMS
from i2vkit.structures import VideoSample


@TRANSFORMS.register_module()
class PackClip:
    """Make ``dict(inputs=..., data_samples=VideoSample)`` of a sample.

    The inputs are:

    - ``driving`` uint8 (C, T, H, W) and its ``num_frames`` int64 ().
    - ``label`` int64 (), the class index, -1 if the clip has none. It is left out if no clip of the set has a label. A
    pair may ask for another label than its clip's.
    - With an image video: ``image_video``, ``image_video_num_frames``, and ``image`` uint8 (C, H, W), its first frame.
    - If transforms have made them, of the driving clip: ``states`` int64 (T,), float32 ``landmarks`` (T, N, 2),
    ``joints`` (T, J, 2) and ``boxes`` (T, 4), and uint8 ``driving_maps`` (M, T, H, W).
    - ``image_maps`` uint8 (M, H, W) and ``image_landmarks`` float32 (N, 2), of the first frame of the image video, or
    else of the driving clip.

    The ``VideoSample`` holds ``driving``, ``image`` and, if they are known, ``landmarks`` float32 (T, N, 2) of the
    driving clip and ``truth``. The truth is the pair's, or the driving clip itself if there is no image video and no
    other label.

    For frames on the device (``cache="device"`` of the data set) the videos are ``DeferredFrames``, and there is no
    ``VideoSample``. Such batches are for training only.
    """

    frame_changes = "none"

    def __call__(self, sample: dict) -> dict:
        """Pack all clips."""
        clips = sample["clips"]
        driving, image_video = clips["driving"], clips.get("image_video")
        inputs: dict[str, Tensor | DeferredFrames] = {
            "driving": _video(driving),
            "num_frames": torch.tensor(len(driving.frames)),
        }
        if sample["labels"]:
            label = _label(sample["pair"])
            inputs["label"] = torch.tensor(-1 if label is None else sample["labels"].index(label))
        if image_video is not None:
            inputs["image_video"] = _video(image_video)
            inputs["image_video_num_frames"] = torch.tensor(len(image_video.frames))
            inputs["image"] = _first(inputs["image_video"])
        inputs |= _extras(driving, image_video or driving)
        if isinstance(driving.frames, DeferredFrames):
            return {"inputs": inputs}
        return {"inputs": inputs, "data_samples": _video_sample(sample, inputs)}


def _extras(driving: SampledClip, pictured: SampledClip) -> dict[str, Tensor | DeferredFrames]:
    """Return the inputs beside videos and label: states and points of the driving clip, and condition maps."""
    given = {name: getattr(driving, name) for name in ("states", "landmarks", "joints", "boxes")}
    extras: dict[str, Tensor | DeferredFrames] = {
        name: _tensor(value) for name, value in given.items() if value is not None
    }
    if pictured.landmarks is not None:
        extras["image_landmarks"] = _tensor(pictured.landmarks[0].copy())  # a view would take all frames along
    if driving.maps is not None:
        extras["driving_maps"] = _maps(driving.maps)
    if pictured.maps is not None:
        extras["image_maps"] = _first(_maps(pictured.maps[:1]))
    return extras


def _tensor(value: np.ndarray | Tensor) -> Tensor:
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.is_floating_point() else tensor


def _video_sample(sample: dict, inputs: dict[str, Tensor | DeferredFrames]) -> VideoSample:
    pair, clips = sample["pair"], sample["clips"]
    person = pair.image_video or pair.driving
    result = VideoSample(
        metainfo={
            "name": pair.name,
            "driving_name": pair.driving.name,
            "driving_person": pair.driving.person,
            "image_name": person.name,
            "image_person": person.person,
            "label_name": _label(pair),
            "seed": pair.seed,
            "motion": pair.motion,
            "observed": pair.observed,
            "protocol": sample["protocol"],
            "fps": sampled_rate(clips["driving"]),
        }
    )
    result.driving = inputs["driving"]
    result.image = inputs["image"] if "image" in inputs else _first(inputs["driving"])
    if "landmarks" in inputs:
        result.landmarks = inputs["landmarks"]
    if "truth" in clips:
        result.truth = _video(clips["truth"])
    elif pair.image_video is None and _label(pair) == pair.driving.label:
        result.truth = inputs["driving"]
    return result


def sampled_rate(sampled: SampledClip) -> float:
    """Return the frames a second of sampled frames: every second frame of a clip has half its rate.

    Frames spread over a clip have their rate on average, and a single frame has that of its clip.

    >>> from i2vkit.datasets.clip_index import ClipRecord
    >>> from i2vkit.datasets.frame_sources import GivenFrames
    >>> record = ClipRecord("a", GivenFrames([]), "ann", None, 9, fps=10.0)
    >>> sampled_rate(SampledClip(record, indices=np.array([2, 4, 6])))
    5.0
    """
    indices = sampled.indices
    if indices is None or len(indices) < 2 or indices[-1] <= indices[0]:
        return sampled.record.fps
    return float(sampled.record.fps * (len(indices) - 1) / (indices[-1] - indices[0]))


def _label(pair: Pair) -> str | None:
    return pair.driving.label if pair.label is None else pair.label


def _first(video: Tensor | DeferredFrames) -> Tensor | DeferredFrames:
    """Copy the first frame. A view would take the whole clip along to another process."""
    return video.first() if isinstance(video, DeferredFrames) else video[:, 0].clone()


def _maps(maps: np.ndarray | DeferredFrames) -> Tensor | DeferredFrames:
    if isinstance(maps, DeferredFrames):
        return maps
    return torch.from_numpy(np.ascontiguousarray(rearrange(maps, "t m h w -> m t h w")))


def _video(sampled: SampledClip) -> Tensor | DeferredFrames:
    if isinstance(sampled.frames, DeferredFrames):
        return sampled.frames
    frames = np.ascontiguousarray(sampled.frames)
    length, height, width, channels = frames.shape
    video = np.empty((channels, length, height, width), np.uint8)
    # (T, H, W, C) -> (C, T, H, W). OpenCV splits channels several times as fast as numpy transposes.
    cv2.split(frames.reshape(length * height, width, channels), list(video.reshape(channels, length * height, width)))
    return torch.from_numpy(video)
