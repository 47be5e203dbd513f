"""Image networks of timm as a pyramid of maps."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import torch
from einops import rearrange
from mmengine.logging import print_log
from torch import Tensor, nn

from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.structures import FeatureSpec
from i2vkit.utils.weight_files import WeightFile

# The errors that timm's networks raise for an image that they cannot take, or for an argument that they do not have.
_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, AttributeError, NotImplementedError)

_COUNTER = "num_batches_tracked"  # of batch norms


class TimmBackbone(nn.Module):
    """Any network of timm that can be built with ``features_only``, by name, with timm's initial weights.

    Images in [-1, 1] are put on the scale that the network's published weights are made for.

    Args:
        name: A name of ``timm.list_models()``. The network is built for ``image_size`` if it has a size of its own.
        image_size: Side of the images, in pixels.
        out_indices: timm's argument: the maps that are taken; the network ends behind the last of them. By default
            timm's choice.
        weights: A file of the whole network in timm's own names, as its hub has it, or with the same tensors in the
            same order under other names; never downloaded. It is read when training starts (``load_pretrained``), so
            that a trained model does not need it.
        sha256: The hash of that file, 8 or more digits.

    Attributes:
        levels: Channels and strides of the pyramid, fine to coarse. Of several maps of one stride it has the deepest,
            and no map whose side is not the image's divided by its stride (48 pixels at stride 32).
        deepest: (channels, height, width) of the last map of all.

    Raises:
        ConfigError: For an unknown name (with the nearest), a network without such maps, an image that it cannot take,
            and weights without a hash.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        name: str,
        image_size: int,
        out_indices: tuple[int, ...] | None = None,
        weights: str | Path | None = None,
        sha256: str | None = None,
    ):
        super().__init__()
        import timm  # slow to import, and needed here only

        if not timm.is_model(name):
            near = get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
            nearest = ", ".join(near) or "none; timm.list_models() has them all"
            raise ConfigError(f"timm has no network '{name}'; nearest: {nearest}")
        if weights and not sha256:
            raise ConfigError(f"weights={weights} of {name} need sha256=..., the SHA-256 of the file: sha256sum FILE")
        self.name, self.weights = name, weights
        published = timm.get_pretrained_cfg(name)
        assert published is not None, "timm describes every network that it lists"
        self.published = published
        self.file = WeightFile(self._address(), sha256) if weights else None
        self.options: dict[str, Any] = {} if out_indices is None else dict(out_indices=tuple(out_indices))
        if self.published.fixed_input_size:
            self.options["img_size"] = image_size  # transformers are built for one size
        # The published numbers are for colours in [0, 1]; a colour in [-1, 1] is twice as large, less one.
        # Both (3,) -> (3, 1, 1), to be broadcast over images (N, 3, H, W).
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (self.published.mean, self.published.std))
        self.register_buffer("mean", 2 * mean - 1, persistent=False)
        self.register_buffer("deviation", 2 * deviation, persistent=False)
        try:
            # With features_only timm gives a network with ``feature_info``, which its types do not say.
            self.network: Any = cast(Any, timm.create_model(name, features_only=True, **self.options))
            shapes = self._shapes(image_size)
        except _REFUSALS as error:
            raise ConfigError(
                f"timm's {name} gives no pyramid of images of {image_size} pixels: {error}; set another network, or "
                f"another image_size"
            ) from error
        strides = self.network.feature_info.reduction()
        # By stride the place of the deepest map whose sides times the stride are the image's.
        fitting = {s: i for i, s in enumerate(strides) if {side * s for side in shapes[i][1:]} == {image_size}}
        self._places = sorted(fitting.values())  # in the list of all maps
        self.levels = tuple(FeatureSpec(shapes[i][0], strides[i]) for i in self._places)
        self.deepest = shapes[-1]  # may be smaller than the last level
        if odd := [shape for shape, stride in zip(shapes, strides, strict=True) if stride not in fitting]:
            sizes = ", ".join(f"{height}x{width}" for _, height, width in odd)
            print_log(f"{name}: maps of {sizes} are not even parts of {image_size} pixels, and no skips", "current")

    @torch.no_grad()
    def _shapes(self, image_size: int) -> list[tuple[int, int, int]]:
        """Return (channels, height, width) of every map of one image."""
        training = self.network.training  # restored below
        maps = self.eval()._maps(torch.zeros(1, 3, image_size, image_size))
        self.train(training)
        return [(level.shape[1], level.shape[2], level.shape[3]) for level in maps]

    def _maps(self, images: Tensor) -> list[Tensor]:
        """Return all maps (N, C, H, W); a few networks give theirs channels last."""
        maps = self.network((images - self.mean) / self.deviation)
        channels = self.network.feature_info.channels()  # tells the layout of each map
        return [
            level if level.shape[1] == number else rearrange(level, "n h w c -> n c h w")
            for level, number in zip(maps, channels, strict=True)
        ]

    def forward(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the pyramid, maps (N, C, H, W) as in ``levels``, and the deepest map.

        Args:
            images: (N, 3, H, W) in [-1, 1].
        """
        maps = self._maps(images)
        return [maps[i] for i in self._places], maps[-1]

    def load_pretrained(self) -> None:
        """Load ``weights``, if there are any. ``PhasedModel.init_weights`` calls this when training starts.

        Raises:
            MissingWeightsError: If there is no such file; the message says where to get it.
            CheckpointError: If it is another file, or holds another network's weights.
        """
        if self.file is None:  # timm's initial weights stay
            return
        import timm

        path = self.file.find(self.weights)
        # On the meta device only names and shapes exist.
        with torch.device("meta"):
            expected = timm.create_model(self.name).state_dict()
        weights = in_names_of(expected, load_checkpoint_file(path))
        if odd := sorted(expected.keys() ^ weights.keys()):
            raise CheckpointError(
                f"{path} does not hold timm's {self.name}: {len(odd)} names are not in both, {odd[0]} for one"
            )
        # timm leaves out the layers after the last map, and adapts weights that depend on the image size.
        source = dict(state_dict=dict(weights))
        try:
            loaded = timm.create_model(
                self.name, features_only=True, pretrained=True, pretrained_cfg_overlay=source, **self.options
            )
        except RuntimeError as error:
            raise CheckpointError(f"{path} does not hold timm's {self.name}: {error}") from error
        self._take(loaded.state_dict())
        print_log(f"{self.name} loaded from {path}", "current")

    def _take(self, weights: dict[str, Tensor]) -> None:
        """Copy weights in the names of ``network``."""
        self.network.load_state_dict(weights)

    def _address(self) -> str:
        """Return the address of the published weights."""
        if self.published.hf_hub_id:
            return f"https://huggingface.co/{self.published.hf_hub_id}/resolve/main/model.safetensors"
        # timm's type allows pairs of addresses too, which its configs do not have.
        return cast(str, self.published.url) or "the authors of the network"


def in_names_of(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``weights`` in the names of ``expected`` if they are the same tensors in the same order.

    Otherwise they are returned as they are. Files of other code may name a network's layers differently. They count as
    the same if every tensor has the shape and the last part of the name ("weight", "running_mean") of the one expected
    in its place. Counters of batch norms are ignored, as not all files have them.

    Examples:
        >>> ours, theirs = {"conv.weight": torch.zeros(2, 3)}, {"_conv.weight": torch.ones(2, 3)}
        >>> list(in_names_of(ours, theirs)), list(in_names_of(ours, {"_conv.weight": torch.ones(3, 2)}))
        (['conv.weight'], ['_conv.weight'])
    """
    if expected.keys() == weights.keys():
        return dict(weights)
    # Counters are not compared, and stay at 0.
    counters = {name: torch.zeros_like(v, device="cpu") for name, v in expected.items() if _last(name) == _COUNTER}
    wanted = [name for name in expected if name not in counters]
    given = [name for name in weights if _last(name) != _COUNTER]
    if [_form(expected, name) for name in wanted] != [_form(weights, name) for name in given]:
        return dict(weights)
    return counters | {name: weights[other] for name, other in zip(wanted, given, strict=True)}


def _last(name: str) -> str:
    """Return the last part of a name."""
    return name.rpartition(".")[2]


def _form(tensors: Mapping[str, Tensor], name: str) -> tuple:
    """Return the last part of the name and the shape of a tensor."""
    return _last(name), tuple(getattr(tensors[name], "shape", ()))
