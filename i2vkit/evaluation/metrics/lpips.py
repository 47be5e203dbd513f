"""Learned perceptual image patch similarity (LPIPS) of videos, frame by frame."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError, RangeError
from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS
from i2vkit.utils.package_folders import package_folder
from i2vkit.utils.weight_files import MissingWeightsError, WeightFile

CHUNK = 16  # frames whose features are in memory at a time

# The ends of the layers whose features are compared (relu1 to relu5, for VGG relu1_2 to relu5_3), and their channels.
STAGES = {"alex": (2, 5, 8, 10, 12), "vgg": (4, 9, 16, 23, 30)}
CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
SMALLEST = {"alex": 31, "vgg": 16}  # the last layer of smaller frames would have no pixels

# torchvision writes the first 8 digits of the SHA-256 into the names of its files.
BACKBONES = {
    "alex": WeightFile("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79"),
    "vgg": WeightFile("https://download.pytorch.org/models/vgg16-397923af.pth", "397923af"),
}
# Version 0.1 of the weights of the `lpips` package. torchmetrics contains copies, which have these hashes.
_LINEAR = "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1"
_COPIES = package_folder("torchmetrics") / "functional/image/lpips_models"
LINEARS = {
    "alex": WeightFile(
        f"{_LINEAR}/alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", _COPIES
    ),
    "vgg": WeightFile(
        f"{_LINEAR}/vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868", _COPIES
    ),
}


class LpipsNetwork(nn.Module):
    """A backbone whose features are compared, and a weight for each of its channels. ``load_lpips`` builds it.

    Source: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric" (2018), sec. 3.

    Args:
        backbone: "alex" or "vgg", for torchvision's AlexNet or VGG-16. By default "alex".
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, backbone: Literal["alex", "vgg"] = "alex") -> None:
        super().__init__()
        from torchvision import models  # slow to import, and only needed here

        self.backbone = backbone
        with torch.device("meta"):  # without memory: the classifier is cut off, and load_lpips fills in the rest
            whole = (models.alexnet if backbone == "alex" else models.vgg16)(weights=None)
        self.features = whole.features[: STAGES[backbone][-1]].to_empty(device="cpu")
        self.linear = nn.ParameterList(nn.Parameter(torch.ones(channels)) for channels in CHANNELS[backbone])
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Return the features of five layers, (N, C_l, H_l, W_l), with unit length at every pixel, of frames (N, 3, H,
        W).

        Raises:
            RangeError: Values are not in [-1, 1], or frames are too small for the backbone.
        """
        if frames.shape[1] != 3 or min(frames.shape[-2:]) < SMALLEST[self.backbone]:
            least = SMALLEST[self.backbone]
            raise RangeError(f"LPIPS needs colour frames of {least} x {least} pixels or more, got {frames.shape[1:]}")
        if not (frames.min() >= -1 and frames.max() <= 1):
            raise RangeError(f"LPIPS takes values in [-1, 1], got {frames.min():g} to {frames.max():g}")
        x, made = (frames - self.shift) / self.scale, []
        for number, layer in enumerate(self.features, start=1):
            x = layer(x)
            if number in STAGES[self.backbone]:
                # Unit length over the channels at every pixel.
                made.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return made

    def weigh(self, products: Sequence[Tensor]) -> Tensor:
        """Map squared differences of features, (N, C_l, H_l, W_l) for each layer, to (N,).

        They are weighted over channels, averaged over pixels, and summed over layers.
        """
        layers = zip(products, self.linear, strict=True)
        return sum((product.mean((2, 3)) @ weight for product, weight in layers), torch.zeros(()).to(products[0]))


def load_lpips(
    backbone: Literal["alex", "vgg"] = "alex",
    backbone_path: str | Path | None = None,
    linear_path: str | Path | None = None,
    backbone_sha256: str | None = None,
    linear_sha256: str | None = None,
) -> tuple[LpipsNetwork, dict[str, str]]:
    """Return the network with its weights, and the SHA-256 of each file by name.

    Args:
        backbone: "alex" or "vgg". By default "alex".
        backbone_path: The state dict of torchvision's whole network. By default torchvision's file name in
            ``data/extractors/``.
        linear_path: The state dict of the ``lpips`` package (``lin0.model.1.weight`` to ``lin4``). By default the copy
            in torchmetrics.
        backbone_sha256: The SHA-256 of a backbone that is not torchvision's file.
        linear_sha256: The SHA-256 of a file that is not the ``lpips`` package's.

    Raises:
        ConfigError: There is no such backbone.
        MissingWeightsError: A file does not exist.
        CheckpointError: A file has another hash, or does not contain these weights.
    """
    if backbone not in STAGES:
        raise ConfigError(f'the backbone of LPIPS is "alex" or "vgg", not {backbone!r}')
    files = [
        BACKBONES[backbone].find(backbone_path, backbone_sha256),
        LINEARS[backbone].find(linear_path, linear_sha256),
    ]
    network = LpipsNetwork(backbone)
    whole, linear = (load_checkpoint_file(file) for file in files)
    features = {name.removeprefix("features."): v for name, v in whole.items() if name.startswith("features.")}
    _fill(network.features, features, f"{files[0]} does not hold torchvision's weights of the backbone {backbone!r}")
    # "lin0.model.1.weight" (1, C, 1, 1) -> "0" (C,)
    linear = {name.removeprefix("lin").partition(".")[0]: value.flatten() for name, value in linear.items()}
    _fill(network.linear, linear, f"{files[1]} does not hold the linear layers of LPIPS for {backbone!r}")
    return network, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _fill(part: nn.Module, weights: dict[str, Tensor], problem: str) -> None:
    """Load weights into a part. An error becomes a ``CheckpointError`` that begins with ``problem``."""
    try:
        part.load_state_dict(weights)
    except RuntimeError as error:  # its first words only name the class
        raise CheckpointError(f"{problem}: {' '.join(str(error).split()[5:25])} ...") from error


def lpips(video: Tensor, truth: Tensor, network: LpipsNetwork) -> Tensor:
    """Return the LPIPS of every frame. It is 0 for equal frames and grows with the perceived difference.

    Args:
        video: (N, 3, T, H, W) in [-1, 1].
        truth: The same shape and range.
        network: A network from ``load_lpips``.

    Returns:
        (N, T), on the CPU.

    Raises:
        RangeError: Shapes are unequal or wrong, or values are out of range.
    """
    check_pair(video, truth)
    n, t = video.shape[0], video.shape[2]
    device = network.shift.device
    # (N, C, T, H, W) -> (N * T, C, H, W)
    frames, others = (x.transpose(1, 2).flatten(0, 1) for x in (video, truth))
    scores = []
    for some, other in zip(frames.split(CHUNK), others.split(CHUNK), strict=True):
        features, of_truth = network(some.to(device)), network(other.to(device))
        scores.append(network.weigh([(a - b).square() for a, b in zip(features, of_truth, strict=True)]).cpu())
    return torch.cat(scores).unflatten(0, (n, t))


class LpipsWeights:
    """An LPIPS network that may be missing. Then ``network`` is None, and ``skipped`` is the reason.

    Args:
        name: The name of the metric, for the log.
        files: The arguments of ``load_lpips``.

    Raises:
        CheckpointError: A file of weights is the wrong one.
    """

    def __init__(self, name: str, **files) -> None:
        self.network: LpipsNetwork | None = None
        self.hashes: dict[str, str] = {}
        self.skipped: str | None = None
        try:
            self.network, self.hashes = load_lpips(**files)
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.network.to("cuda" if torch.cuda.is_available() else "cpu")


@METRICS.register_module()
class Lpips(VideoMetric):
    """LPIPS of frames 1 to T-1, averaged over frames, then over videos. Lower is better. See ``lpips``.

    Without the weights the metric is left out, and the log says what to fetch.

    Args:
        backbone: "alex" or "vgg". By default "alex".
        backbone_path: As in ``load_lpips``.
        linear_path: As in ``load_lpips``.
        backbone_sha256: As in ``load_lpips``.
        linear_sha256: As in ``load_lpips``.
        prefix: As in ``VideoMetric``.
        collect_device: As in ``VideoMetric``.

    Raises:
        CheckpointError: A file of weights is the wrong one.
    """

    name = "lpips"
    less_is_better = True

    def __init__(
        self,
        backbone: Literal["alex", "vgg"] = "alex",
        backbone_path: str | None = None,
        linear_path: str | None = None,
        backbone_sha256: str | None = None,
        linear_sha256: str | None = None,
        prefix: str | None = None,
        collect_device: str = "cpu",
    ) -> None:
        super().__init__(prefix, collect_device)
        files = dict(backbone_path=backbone_path, linear_path=linear_path)
        hashes = dict(backbone_sha256=backbone_sha256, linear_sha256=linear_sha256)
        weights = LpipsWeights(self.name, backbone=backbone, **files, **hashes)
        self.network, self.skipped, self.extractor = weights.network, weights.skipped, weights.hashes

    def score(self, video: Tensor, truth: Tensor) -> Tensor:
        """Map videos and truths (N, 3, T, H, W), uint8, to (N, T), 0 or more."""
        assert self.network is not None  # without it the metric is skipped
        return lpips(video.float() / 127.5 - 1, truth.float() / 127.5 - 1, self.network)
