"""From takes to what a model is given."""

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from i2vkit.datasets.pairing import Pair
from i2vkit.datasets.takes import Take
from i2vkit.registry import TRANSFORMS
from i2vkit.structures import VideoSample


@TRANSFORMS.register_module()
class PackClip:
    """Makes ``dict(inputs=..., data_samples=VideoSample)``.

    Inputs: ``source`` uint8 (C, T, H, W) and its ``num_frames`` int64 (); ``label`` int64 (), the class index, -1 where
    the clip has none, and not there if no clip of the set has one (a pair may ask for another label than its clip's).
    With a target ``target``, ``target_num_frames`` and ``target_image`` uint8 (C, H, W), its first frame. Where
    transforms have made them, of the source: ``states`` int64 (T,), float32 ``landmarks`` (T, N, 2), ``joints``
    (T, J, 2), ``boxes`` (T, 4) and uint8 ``source_maps`` (M, T, H, W); of the first frame of the target, or else of
    the source: ``image_maps`` uint8 (M, H, W).

    The sample holds ``driving``, ``first`` and, where they are known, ``landmarks`` float32 (T, N, 2) of the source and
    ``truth``: that of the pair, or the source itself where there is no target and no other label.
    """

    def __call__(self, sample: dict) -> dict:
        """Pack all takes."""
        takes = sample["takes"]
        source, target = takes["source"], takes.get("target")
        inputs = {"source": _video(source), "num_frames": torch.tensor(len(source.frames))}
        if sample["labels"]:
            label = _label(sample["pair"])
            inputs["label"] = torch.tensor(-1 if label is None else sample["labels"].index(label))
        if target is not None:
            inputs["target"] = _video(target)
            inputs["target_num_frames"] = torch.tensor(len(target.frames))
            inputs["target_image"] = inputs["target"][:, 0].clone()
        inputs |= _extras(source, target or source)
        return {"inputs": inputs, "data_samples": _video_sample(sample, inputs)}


def _extras(source: Take, pictured: Take) -> dict[str, Tensor]:
    extras = {name: getattr(source, name) for name in ("states", "landmarks", "joints", "boxes")}
    if source.maps is not None:
        extras["source_maps"] = np.ascontiguousarray(rearrange(source.maps, "t m h w -> m t h w"))
    if pictured.maps is not None:
        extras["image_maps"] = pictured.maps[0]
    return {name: _tensor(value) for name, value in extras.items() if value is not None}


def _tensor(value: np.ndarray | Tensor) -> Tensor:
    tensor = torch.as_tensor(value)
    return tensor.float() if tensor.is_floating_point() else tensor


def _video_sample(sample: dict, inputs: dict[str, Tensor]) -> VideoSample:
    pair, takes = sample["pair"], sample["takes"]
    person = pair.target or pair.source
    result = VideoSample(
        metainfo={
            "name": pair.name,
            "source_name": pair.source.name,
            "source_person": pair.source.person,
            "target_name": person.name,
            "target_person": person.person,
            "label_name": _label(pair),
            "seed": pair.seed,
            "motion": pair.motion,
            "protocol": sample["protocol"],
            "fps": pair.source.fps,
        }
    )
    result.driving = inputs["source"]
    result.first = inputs.get("target_image", inputs["source"][:, 0])
    if (landmarks := takes["source"].landmarks) is not None:
        result.landmarks = _tensor(landmarks)
    if "truth" in takes:
        result.truth = _video(takes["truth"])
    elif pair.target is None and _label(pair) == pair.source.label:
        result.truth = inputs["source"]
    return result


def _label(pair: Pair) -> str | None:
    return pair.source.label if pair.label is None else pair.label


def _video(take: Take) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rearrange(take.frames, "t h w c -> c t h w")))
