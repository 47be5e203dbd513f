"""A discriminator of convolutions without padding and average pooling (Monkey-Net, first-order motion model)."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.registry import DISCRIMINATORS

_KERNEL = 4


@DISCRIMINATORS.register_module()
class PooledFrameDiscriminator(DiscriminatorNetwork):
    """Blocks of 4x4 convolution without padding, instance norm, LeakyReLU and average pooling, then a 1x1 convolution.

    Every place of the last maps has a logit of its own. With four blocks, frames of 64x64 pixels end in one logit.

    Source: Siarohin et al., "Animating arbitrary objects via deep motion transfer" (2019), released code. With
    ``spectral=True`` and ``pool_last=False`` it is that of their "First order motion model" (2019), released code.

    Args:
        in_channels: Channels of the samples.
        image_size: Side of the frames, in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        widths: Channels of the blocks.
        norm: "instance" for an instance norm with scale and shift in all blocks but the first, or None.
        spectral: Spectral norm of all convolutions, besides. Default False.
        pool_last: The last block pools, too. Default True.

    Raises:
        ConfigError: ``norm`` is neither of these, or the frames are too small for so many blocks.

    Examples:
        >>> PooledFrameDiscriminator(3, image_size=64, widths=(4, 4, 8, 8))(torch.zeros(5, 3, 64, 64)).shape
        torch.Size([5, 1])
    """

    sample_type = "frames"

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, ...] = (64, 128, 256, 256),
        norm: str | None = "instance",
        spectral: bool = False,
        pool_last: bool = True,
    ):
        super().__init__()
        if norm not in ("instance", None):
            raise ConfigError(f'PooledFrameDiscriminator has norm="instance" or None, not {norm!r}')
        side, channels = image_size, in_channels + map_channels + label_size  # all enter at the first convolution

        def convolution(inputs: int, outputs: int, kernel: int) -> nn.Module:
            layer = nn.Conv2d(inputs, outputs, kernel)
            return spectral_norm(layer) if spectral else layer

        self.blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            pool = 2 if pool_last or i < len(widths) - 1 else 1
            side = (side - _KERNEL + 1) // pool
            if side < 1:
                raise ConfigError(
                    f"PooledFrameDiscriminator cannot halve {image_size} pixels {len(widths)} times, as each block "
                    f"also takes 3 pixels off: give fewer widths"
                )
            layers: list[nn.Module] = [convolution(channels, width, _KERNEL)]
            layers += [nn.InstanceNorm2d(width, affine=True)] if norm and i else []
            layers += [nn.LeakyReLU(0.2), nn.AvgPool2d(pool)] if pool > 1 else [nn.LeakyReLU(0.2)]
            self.blocks.append(nn.Sequential(*layers))
            channels = width
        self.to_score = convolution(channels, 1, 1)
        self.to_class = convolution(channels, num_classes, 1) if num_classes else None

    def block_features(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> list[Tensor]:
        """Return the outputs (N, C_i, h_i, w_i) of all blocks, fine to coarse."""
        parts = [sample] if maps is None else [sample, maps]
        if label is not None:
            # (N, L) -> (N, L, H, W)
            parts.append(label.to(sample.dtype)[:, :, None, None].expand(-1, -1, *sample.shape[2:]))
        found = [torch.cat(parts, dim=1)]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found[1:]

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, places) of frames (N, C, H, W), one-hot labels (N, L) and maps (N, M, H, W)."""
        return self.to_score(self.block_features(sample, label, maps)[-1]).flatten(1)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes), the mean over the places."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        return self.to_class(self.block_features(sample, label, maps)[-1]).flatten(2).mean(dim=2)
