"""A loss on the features of VGG19 at several sizes of the frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.clip_lengths import masked_mean
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.losses.feature_losses import VggFeatures
from i2vkit.models.losses.frame_losses import PassLoss
from i2vkit.registry import LOSSES
from i2vkit.utils.weight_files import MissingWeightsError, WeightFile

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan

VGG19 = WeightFile("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", "dcbb9e9d")
_FIRST_RELUS = (1, 6, 11, 20, 29)  # behind conv1_1, conv2_1, conv3_1, conv4_1 and conv5_1 among the layers of VGG19
_HALVINGS = 4  # in front of conv5_1


class Vgg19Features(VggFeatures):
    """The five maps behind the first ReLU of each stage of VGG19 (timm) on pictures in [-1, 1]; frozen.

    Args:
        path: State dict of torchvision's or timm's VGG19; by default ``data/extractors/vgg19-dcbb9e9d.pth``.
        sha256: Hash of a file that is not torchvision's.
        trained: As of ``VggFeatures``.
    """

    architecture, file, last = "vgg19", VGG19, _FIRST_RELUS[-1]

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the features (N, C_i, h_i, w_i), fine to coarse, of pictures (N, 3, H, W) in [-1, 1]."""
        x, found = self.normalized(pictures), []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i in _FIRST_RELUS:
                # timm's ReLUs work in place, and the next layer is a convolution, which leaves its input alone.
                found.append(x)
        return found


@LOSSES.register_module()
class PerceptualPyramidLoss(PassLoss):
    """Mean absolute difference between features of VGG19 of generated and real frames, at several sizes of the frames.

    It sums over the five maps of ``Vgg19Features`` and over the sizes. The weights are loaded when the loss first needs
    them. They are no part of the model, and checkpoints leave them out.

    Ours:
        frames are averaged to the smaller sizes (the released code: smoothed and subsampled)

    Source: Siarohin et al., "First order motion model for image animation" (2019), after Johnson et al., 2016.

    Args:
        pass_name: The pass whose video is compared with its target.
        shrink: Factors by which frames are averaged before the network. The paper's frames of 256x256 have 1, 2, 4 and
            8. The smallest frames must have 16 pixels or more.
        vgg: The weights of VGG19, see ``Vgg19Features``.
        vgg_sha256: Their hash, see ``Vgg19Features``.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: The frames of the model are too small for a factor.
        MissingWeightsError: When the loss first needs the weights and they are missing; the message says what to fetch.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        shrink: tuple[int, ...] = (1, 2, 4, 8),
        vgg: str | None = None,
        vgg_sha256: str | None = None,
        name: str | None = "perceptual",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.shrink, self.vgg, self.vgg_sha256 = shrink, vgg, vgg_sha256
        self._network: list[nn.Module] = []  # a plain list, so that it is not registered

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the smallest frames have no place in the last map."""
        least = 1 << _HALVINGS
        if any(model.image_size % factor or model.image_size // factor < least for factor in self.shrink):
            raise ConfigError(
                f"loss '{self.name}' averages frames of {model.image_size} pixels by factors {self.shrink}, and VGG19 "
                f"reads frames of {least} pixels or more: set shrink to smaller factors, which divide the size"
            )

    @property
    def frozen_networks(self) -> dict[str, str | None]:
        """The SHA-256 of the weights, or its first digits, by network."""
        return {"vgg19": self.vgg_sha256 or VGG19.sha256}

    def networks(self) -> list[nn.Module]:
        """Return VGG19, once the loss has loaded it."""
        return self._network

    def forward(self, context: "GanContext") -> Tensor:
        """Return the sum over sizes and maps of E |F(video) - F(real)| over true frames."""
        made, real, mask = self.compared(context)
        network = self._load(made.device)
        frames, wanted = (rearrange(video, "b c t h w -> (b t) c h w") for video in (made, real))
        terms = []
        for factor in self.shrink:
            ours = network(functional.avg_pool2d(frames, factor))
            with torch.no_grad():
                theirs = network(functional.avg_pool2d(wanted, factor))
            for one, other in zip(ours, theirs, strict=True):
                difference = (one.float() - other.float()).abs()
                # (B T, ...) -> (B, T, K) where some frames are padded
                terms.append(
                    difference.mean()
                    if mask is None
                    else masked_mean(difference.flatten(1).unflatten(0, mask.shape), mask)
                )
        return sum_terms(terms)

    def _load(self, device: torch.device) -> nn.Module:
        """Return VGG19 on ``device``. On the meta device, where costs are measured only, it has no weights."""
        if not self._network:
            try:
                self._network.append(Vgg19Features(self.vgg, self.vgg_sha256, device.type != "meta"))
            except MissingWeightsError as error:
                raise MissingWeightsError(
                    f"loss '{self.name}' looks through VGG19, and {error}. To train without it leave the loss out"
                ) from error
        return self._network[0].to(device)
