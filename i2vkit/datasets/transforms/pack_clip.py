"""From takes to what a model is given."""

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
    """Makes ``dict(inputs=..., data_samples=VideoSample)``.

    Inputs: ``driving`` uint8 (C, T, H, W) and its ``num_frames`` int64 (); ``label`` int64 (), the class index, -1
    where the clip has none, and not there if no clip of the set has one (a pair may ask for another label than its
    clip's). With an image video ``image_video``, ``image_video_num_frames`` and ``image`` uint8 (C, H, W), its first
    frame. Where transforms have made them, of the driving clip: ``states`` int64 (T,), float32 ``landmarks`` (T, N, 2),
    ``joints`` (T, J, 2), ``boxes`` (T, 4) and uint8 ``driving_maps`` (M, T, H, W); of the first frame of the image
    video, or else of the driving clip: ``image_maps`` uint8 (M, H, W).

    The sample holds ``driving``, ``image`` and, where they are known, ``landmarks`` float32 (T, N, 2) of the driving
    clip and ``truth``: that of the pair, or the driving clip itself where there is no image video and no other label.

    Of frames that lie on the device (``cache="device"`` of the data set) the videos are ``DeferredFrames``, and there
    is no sample: such batches train.
    """

    frame_changes = "none"

    def __call__(self, sample: dict) -> dict:
        """Pack all clips."""
        clips = sample["clips"]
        driving, image_video = clips["driving"], clips.get("image_video")
        inputs = {"driving": _video(driving), "num_frames": torch.tensor(len(driving.frames))}
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


def _extras(driving: SampledClip, pictured: SampledClip) -> dict[str, Tensor]:
    extras = {name: getattr(driving, name) for name in ("states", "landmarks", "joints", "boxes")}
    extras = {name: _tensor(value) for name, value in extras.items() if value is not None}
    if driving.maps is not None:
        extras["driving_maps"] = _maps(driving.maps)
    if pictured.maps is not None:
        extras["image_maps"] = _first(_maps(pictured.maps[:1]))
    return extras


def _tensor(value: np.ndarray | Tensor) -> Tensor:
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.is_floating_point() else tensor


def _video_sample(sample: dict, inputs: dict[str, Tensor]) -> VideoSample:
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
            "protocol": sample["protocol"],
            "fps": pair.driving.fps,
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


def _label(pair: Pair) -> str | None:
    return pair.driving.label if pair.label is None else pair.label


def _first(video: Tensor | DeferredFrames) -> Tensor | DeferredFrames:
    """The first frame, in memory of its own: a view would take the whole clip along to another process."""
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
    # t h w c to c t h w: OpenCV splits channels several times as fast as numpy transposes.
    cv2.split(frames.reshape(length * height, width, channels), list(video.reshape(channels, length * height, width)))
    return torch.from_numpy(video)
