"""A discriminator network of convolutions without padding and a perceptron."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.registry import DISCRIMINATORS


@DISCRIMINATORS.register_module()
class ConvPerceptron(DiscriminatorNetwork):
    """Convolutions of stride 1 without padding, then linear layers to one logit, for small pictures or patches.

    ReLUs stand behind all layers but the last. Maps join the picture. A one-hot label joins the first linear layer.

    Source: Mathieu et al., 2016.

    Args:
        in_channels: Channels of the samples.
        image_size: Side of the samples in pixels.
        label_size: Size of the one-hot label; 0 if there is none.
        map_channels: Channels of condition images or maps; 0 if there are none.
        num_classes: Number of classes; 0 unless it classifies.
        widths: Channels of the convolutions.
        kernels: Sides of their kernels.
        hidden: Units of the linear layers before the last.
        pooled: True puts a max pooling by 2 behind the convolutions.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.

    Raises:
        ConfigError: There is not one kernel for each width, or nothing is left of the picture.

    Examples:
        >>> network = ConvPerceptron(in_channels=3, image_size=8, widths=(4, 6), kernels=(3, 3), hidden=(5,))
        >>> network(torch.zeros(2, 3, 8, 8)).shape
        torch.Size([2, 1])
    """

    sample_type = "frames"

    def __init__(
        self,
        in_channels: int,
        image_size: int,
        label_size: int = 0,
        map_channels: int = 0,
        num_classes: int = 0,
        widths: tuple[int, ...] = (128, 256, 512, 128),
        kernels: tuple[int, ...] = (7, 7, 5, 5),
        hidden: tuple[int, ...] = (1024, 512),
        pooled: bool = False,
        initial_weights: InitialWeights = "torch",
    ):
        super().__init__()
        side = image_size - sum(kernels) + len(kernels)
        self.pooled = pooled
        side = side // 2 if pooled else side
        if len(kernels) != len(widths) or not hidden or side < 1:
            raise ConfigError(
                f"ConvPerceptron takes one kernel for each width and at least one hidden layer, and its kernels "
                f"{tuple(kernels)} leave {side} pixels of {image_size}: give fewer or smaller kernels"
            )
        layers: list[nn.Module] = []
        inputs = (in_channels + map_channels, *widths)
        for width_in, width, kernel in zip(inputs, widths, kernels, strict=False):
            layers += [nn.Conv2d(width_in, width, kernel), nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers)
        layers = []
        for width_in, width in zip((widths[-1] * side**2 + label_size, *hidden), hidden, strict=False):
            layers += [nn.Linear(width_in, width), nn.ReLU(inplace=True)]
        self.linear = nn.Sequential(*layers)
        self.to_score = nn.Linear(hidden[-1], 1)
        self.to_class = nn.Linear(hidden[-1], num_classes) if num_classes else None
        init_weights_(self, initial_weights)

    def features(self, sample: Tensor, label: Tensor | None, maps: Tensor | None) -> Tensor:
        """Return the last hidden layer, (N, D)."""
        x = self.convolutions(sample if maps is None else torch.cat([sample, maps], dim=1))
        x = (functional.max_pool2d(x, 2) if self.pooled else x).flatten(1)  # (N, C, h, w) -> (N, C h w)
        return self.linear(x if label is None else torch.cat([x, label.to(x.dtype)], dim=1))

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, 1) of frames (N, C, H, W)."""
        return self.to_score(self.features(sample, label, maps))

    def classify(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return class logits (N, num_classes)."""
        assert self.to_class is not None, "a discriminator classifies only with num_classes"
        return self.to_class(self.features(sample, label, maps))
