"""The interfaces of discriminator networks and of augmentations; that of views is ``View`` in ``views.py``."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from i2vkit.interfaces import Interface

# The sample types that views show and networks judge: frames (N, C, H, W), clips (N, C, T, H, W) or vectors (N, D).
SAMPLE_TYPES = ("frames", "clip", "vector")


def sample_type_problem(sample_type: object) -> str:
    """Return the problem with the ``sample_type`` of a network or view, or "" if there is none.

    Examples:
        >>> sample_type_problem("video")
        "has sample_type='video', which is one of: frames, clip, vector"
    """
    if sample_type in SAMPLE_TYPES:
        return ""
    return f"has sample_type={sample_type!r}, which is one of: {', '.join(SAMPLE_TYPES)}"


class DiscriminatorNetwork(nn.Module, Interface):
    """A network that judges samples: it gives logits of each being real. Registered in ``DISCRIMINATORS``.

    The discriminator that holds the network passes its constructor ``in_channels`` of the samples, ``image_size``,
    ``label_size`` (of the one-hot label, 0 if none), ``map_channels`` (of condition images or maps, 0 if none) and
    ``num_classes`` (0 unless it is to classify), as far as the constructor names them.

    A network that is built with ``num_classes`` also has ``classify(sample, label, maps)``, class logits (N,
    num_classes). A network may split its forward pass into ``shared_features(sample, maps)``, which does not depend on
    the label, and ``score(shared, label)``. Several labels of one sample then share the first. A network with
    ``block_features(sample, label, maps)``, a list of the outputs of its blocks, serves ``FeatureMatchingLoss``.

    Attributes:
        sample_type: The samples that the network judges: "frames", "clip" or "vector".
        min_frames: The least number of frames of a clip that it judges.

    Examples:
        >>> import torch
        >>> from i2vkit.models.discriminators.interfaces import DiscriminatorNetwork
        >>> class MeanDiscriminator(DiscriminatorNetwork):
        ...     sample_type = "frames"
        ...     def __init__(self, in_channels: int, label_size: int = 0):
        ...         super().__init__()
        ...         self.linear = torch.nn.Linear(in_channels + label_size, 1)
        ...     def forward(self, sample, label=None, maps=None):
        ...         mean = sample.mean(dim=(2, 3))  # (N, C, H, W) -> (N, C)
        ...         return self.linear(mean if label is None else torch.cat([mean, label], dim=1))
        >>> MeanDiscriminator(3)(torch.zeros(4, 3, 8, 8)).shape
        torch.Size([4, 1])
    """

    attributes: ClassVar[tuple[str, ...]] = ("sample_type",)
    optional: ClassVar[tuple[str, ...]] = ("min_frames",)
    sample_type: str
    min_frames: int = 1

    @abstractmethod
    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, K), one or more a sample.

        Args:
            sample: (N, C, H, W), (N, C, T, H, W) or (N, D), by ``sample_type``.
            label: One-hot (N, L).
            maps: Condition images or maps (N, M, [T,] H, W).
        """

    def problem(self) -> str:
        """Refuse a sample type that no view shows."""
        return sample_type_problem(self.sample_type)


class Augmentation(nn.Module, Interface):
    """An augmentation of samples, real and generated alike, differentiable. Registered in ``AUGMENTATIONS``.

    Examples:
        >>> from i2vkit.models.discriminators.interfaces import Augmentation
        >>> class Brightness(Augmentation):
        ...     def sample_parameters(self, batch, device):
        ...         return torch.rand(batch, 1, device=device)
        ...     def forward(self, sample, parameters):
        ...         shift = parameters.view(-1, *[1] * (sample.dim() - 1))  # (N, 1) -> (N, 1, [1,] 1, 1)
        ...         return sample + shift - 0.5
        ...     def transform_maps(self, maps, parameters):
        ...         return maps
        >>> Brightness()(torch.zeros(2, 3, 8, 8), torch.tensor([[0.5], [1.0]])).amax(dim=(1, 2, 3)).tolist()
        [0.0, 0.5]
    """

    @abstractmethod
    def sample_parameters(self, batch: int, device: torch.device) -> Tensor:
        """Return random numbers (B, K), one row for each clip of a batch; they decide everything random."""

    @abstractmethod
    def forward(self, sample: Tensor, parameters: Tensor) -> Tensor:
        """Return samples (N, 3, [T,] H, W), each augmented by its row of ``parameters`` (N, K)."""

    @abstractmethod
    def transform_maps(self, maps: Tensor, parameters: Tensor) -> Tensor:
        """Return condition maps (N, C, [T,] H, W), moved as their samples are by the same rows of ``parameters``."""
