"""A discriminator network that reads all frames of a clip as channels of one picture."""

import torch
from einops import rearrange
from torch import Tensor, nn

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.discriminators.networks import check_norm
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.stages import check_odd
from i2vkit.registry import DISCRIMINATORS


@DISCRIMINATORS.register_module()
class StackedFrameDiscriminator(DiscriminatorNetwork):
    """Strided 2D convolutions on the stacked frames of a clip, then a linear layer to one logit (MCNet).

    A longer clip is cut into stretches of ``frames`` frames, each with a logit of its own. Maps join the frames as
    further channels, and so does a one-hot label, as constant maps.

    Source: Villegas et al., 2017 (their released code).

    Args:
        in_channels: Channels of a frame.
        image_size: Side of the frames in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps of a frame; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        widths: Channels of the convolutions; each halves the maps.
        frames: Number of frames that are stacked.
        kernel: Side of the kernels, odd.
        norm: "batch" or None, behind every convolution but the first.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.

    Raises:
        ConfigError: The frames cannot be halved so often, or a clip has fewer than ``frames`` frames.

    Examples:
        >>> network = StackedFrameDiscriminator(in_channels=3, image_size=16, widths=(4, 8), frames=3)
        >>> network(torch.zeros(5, 3, 7, 16, 16)).shape  # two stretches of three frames
        torch.Size([5, 2])
    """

    sample_type = "clip"

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        frames: int = 16,
        kernel: int = 5,
        norm: str | None = "batch",
        initial_weights: InitialWeights = "xavier",
    ):
        super().__init__()
        check_norm(norm)
        check_odd("StackedFrameDiscriminator", kernel)
        if norm == "spectral":
            raise ConfigError('StackedFrameDiscriminator has norm="batch" or None')
        if image_size % (1 << len(widths)):
            raise ConfigError(
                f"StackedFrameDiscriminator halves frames {len(widths)} times, which {image_size} pixels cannot: give "
                f"fewer widths"
            )
        self.min_frames = frames
        layers: list[nn.Module] = []
        inputs = (frames * (in_channels + map_channels) + label_size, *widths)
        for i, (width_in, width) in enumerate(zip(inputs, widths, strict=False)):
            layers.append(nn.Conv2d(width_in, width, kernel, stride=2, padding=kernel // 2))
            layers += [nn.BatchNorm2d(width)] if norm == "batch" and i else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.convolutions = nn.Sequential(*layers)
        read = widths[-1] * (image_size >> len(widths)) ** 2
        self.to_score = nn.Linear(read, 1)
        self.to_class = nn.Linear(read, num_classes) if num_classes else None
        init_weights_(self, initial_weights)
        nn.init.normal_(self.to_score.weight, 0.0, 0.02)

    def features(self, sample: Tensor, label: Tensor | None, maps: Tensor | None) -> Tensor:
        """Return the last maps of every stretch as one vector, (N, S, D)."""
        frames, number = self.min_frames, sample.shape[2] // self.min_frames
        if not number:
            raise ConfigError(
                f"StackedFrameDiscriminator stacks {frames} frames, and a clip has {sample.shape[2]}: give it longer "
                f"clips, or set its frames"
            )
        x = sample if maps is None else torch.cat([sample, maps], dim=1)  # (N, C + M, T, H, W)
        # The frames behind the last whole stretch are left out.
        x = rearrange(x[:, :, : number * frames], "n c (s t) h w -> (n s) (t c) h w", s=number)
        if label is not None:
            places = rearrange(label.to(x.dtype).repeat_interleave(number, dim=0), "n l -> n l 1 1")
            x = torch.cat([x, places.expand(-1, -1, *x.shape[2:])], dim=1)
        return rearrange(self.convolutions(x), "(n s) c h w -> n s (c h w)", s=number)

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, S), one for each of S stretches, of clips (N, C, T, H, W)."""
        return self.to_score(self.features(sample, label, maps))[..., 0]  # (N, S, 1) -> (N, S)

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes), the mean over the stretches."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        return self.to_class(self.features(sample, label, maps)).mean(dim=1)
