"""Learned perceptual image patch similarity (LPIPS) of videos, frame by frame."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from i2vkit.engine.checkpoints import load_checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.evaluation.metrics.base import VideoMetric, check_pair
from i2vkit.registry import METRICS
from i2vkit.utils.weight_files import MissingWeightsError, WeightFile

CHUNK = 16  # frames whose features are held at a time

# Where the layers end whose features are compared (relu1 to relu5; of VGG relu1_2 to relu5_3), and their channels.
STAGES = {"alex": (2, 5, 8, 10, 12), "vgg": (4, 9, 16, 23, 30)}
CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
SMALLEST = {"alex": 31, "vgg": 16}  # smaller frames leave the last layer no pixel

# torchvision writes the first 8 digits of the SHA-256 into the names of its files.
BACKBONES = {
    "alex": WeightFile("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79"),
    "vgg": WeightFile("https://download.pytorch.org/models/vgg16-397923af.pth", "397923af"),
}
# Version 0.1 of the weights of the `lpips` package; torchmetrics carries copies, whose hashes these are.
_LINEAR = "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1"
_COPIES = Path(find_spec("torchmetrics").submodule_search_locations[0]) / "functional/image/lpips_models"
LINEARS = {
    "alex": WeightFile(
        f"{_LINEAR}/alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", _COPIES
    ),
    "vgg": WeightFile(
        f"{_LINEAR}/vgg.pth", "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868", _COPIES
    ),
}


class LpipsNetwork(nn.Module):
    """A backbone whose features are compared, and the weight of each of its channels; ``load_lpips`` makes it.

    Source: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric" (2018), sec. 3.

    Args:
        backbone: "alex" or "vgg", AlexNet and VGG-16 as torchvision builds them.
    """

    def __init__(self, backbone: Literal["alex", "vgg"] = "alex") -> None:
        super().__init__()
        from torchvision import models  # slow to import, and needed here only

        self.backbone = backbone
        with torch.device("meta"):  # without the classifier, and without values: load_lpips gives them
            whole = (models.alexnet if backbone == "alex" else models.vgg16)(weights=None)
        self.features = whole.features[: STAGES[backbone][-1]].to_empty(device="cpu")
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # it would change the features before it
        self.linear = nn.ParameterList(nn.Parameter(torch.ones(channels)) for channels in CHANNELS[backbone])
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Features of five layers, (N, C_l, H_l, W_l), of unit length at every pixel, of frames (N, 3, H, W).

        Raises:
            ValueError: values that are not in [-1, 1], or frames too small for the backbone.
        """
        if frames.shape[1] != 3 or min(frames.shape[-2:]) < SMALLEST[self.backbone]:
            least = SMALLEST[self.backbone]
            raise ValueError(f"LPIPS needs colour frames of {least} x {least} pixels or more, got {frames.shape[1:]}")
        if not (frames.min() >= -1 and frames.max() <= 1):
            raise ValueError(f"LPIPS takes values in [-1, 1], got {frames.min():g} to {frames.max():g}")
        x, made = (frames - self.shift) / self.scale, []
        for number, layer in enumerate(self.features, start=1):
            x = layer(x)
            if number in STAGES[self.backbone]:
                made.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return made

    def weigh(self, products: Sequence[Tensor]) -> Tensor:
        """Products of differences of features, (N, C_l, H_l, W_l) a layer -> (N,): weighted over the channels, the
        mean over the pixels, and summed over the layers.
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
    """The network with its weights, and the SHA-256 of each file by name.

    Args:
        backbone: "alex" or "vgg".
        backbone_path: state dict of torchvision's whole network; by default ``data/extractors/`` and its name there.
        linear_path: state dict of the ``lpips`` package (``lin0.model.1.weight`` to ``lin4``); by default the copy
            that torchmetrics carries.
        backbone_sha256: of a file that is not torchvision's.
        linear_sha256: likewise.

    Raises:
        ConfigError: another backbone.
        MissingWeightsError: a file is not there.
        CheckpointError: it is another file, or does not hold these weights.
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
    linear = {name.removeprefix("lin").partition(".")[0]: value.flatten() for name, value in linear.items()}
    _fill(network.linear, linear, f"{files[1]} does not hold the linear layers of LPIPS for {backbone!r}")
    return network, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _fill(part: nn.Module, weights: dict[str, Tensor], problem: str) -> None:
    try:
        part.load_state_dict(weights)
    except RuntimeError as error:  # its first line says no more than the class
        raise CheckpointError(f"{problem}: {' '.join(str(error).split()[5:25])} ...") from error


def lpips(video: Tensor, truth: Tensor, network: LpipsNetwork) -> Tensor:
    """LPIPS of every frame: 0 for equal ones, more the more different they look.

    Args:
        video: (N, 3, T, H, W) in [-1, 1].
        truth: the same shape and range.
        network: of ``load_lpips``.

    Returns:
        (N, T), on the CPU.

    Raises:
        ValueError: unequal or wrong shapes, values outside the range.
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
    """A network that a metric may have to do without: ``network`` is None then, and ``skipped`` says why.

    Args:
        name: of the metric, for the log.
        files: arguments of ``load_lpips``.

    Raises:
        CheckpointError: a file that is there is the wrong one.
    """

    def __init__(self, name: str, **files) -> None:
        self.network, self.hashes, self.skipped = None, {}, None
        try:
            self.network, self.hashes = load_lpips(**files)
        except MissingWeightsError as error:
            self.skipped = str(error)
            print_log(f"{name} is left out: {error}", logger="current", level=logging.WARNING)
        else:
            self.network.to("cuda" if torch.cuda.is_available() else "cpu")


@METRICS.register_module()
class Lpips(VideoMetric):
    """LPIPS of frames 1 to T-1, per frame, then per video, then overall; less is better. See :func:`lpips`.

    Without the weights the log says what to fetch, and the metric is left out.

    Args:
        backbone: "alex" or "vgg".
        backbone_path, linear_path, backbone_sha256, linear_sha256: as in :func:`load_lpips`.
        prefix, collect_device: as in ``VideoMetric``.

    Raises:
        CheckpointError: a file of weights that is there is the wrong one.
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
        """(N, 3, T, H, W) uint8 twice -> (N, T), 0 or more."""
        return lpips(video.float() / 127.5 - 1, truth.float() / 127.5 - 1, self.network)
