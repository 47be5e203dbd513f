"""Embedder of videos with a 3D ResNeXt."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.engine.checkpoints import check_weights, load_checkpoint_file
from i2vkit.evaluation.embedders.interfaces import VideoEmbedder
from i2vkit.registry import VIDEO_EMBEDDERS
from i2vkit.utils.weight_files import WeightFile

KINETICS = WeightFile(
    "https://drive.google.com/drive/folders/1zvl89AgFAApbH0At-gMuZSeQB_LpNP-M", None, name="resnext-101-kinetics.pth"
)
# The mean colour of the training frames, from 0 to 255. Hara's code does not divide by their standard deviation.
MEAN = (114.7748, 107.7354, 99.4750)


class Bottleneck(nn.Module):
    """A residual block of 1x1x1, grouped 3x3x3 and 1x1x1 convolutions, with 2 * ``planes`` channels at its end."""

    def __init__(self, channels: int, planes: int, cardinality: int, stride: int) -> None:
        super().__init__()
        middle, out = cardinality * planes // 32, 2 * planes
        self.conv1 = nn.Conv3d(channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(middle)
        self.conv2 = nn.Conv3d(middle, middle, 3, stride, padding=1, groups=cardinality, bias=False)
        self.bn2 = nn.BatchNorm3d(middle)
        self.conv3 = nn.Conv3d(middle, out, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out)
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv3d(channels, out, 1, stride, bias=False), nn.BatchNorm3d(out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, T, H, W) to (N, 2 * planes, T', H', W')."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNext3d(nn.Module):
    """A 3D ResNeXt without its classifier. Its weights have the names of 3D-ResNets-PyTorch (shortcut type B).

    Source: Hara et al., "Can spatiotemporal 3D CNNs retrace the history of 2D CNNs and ImageNet?" (2018), sec. 3.2.

    Args:
        blocks: The number of blocks in each of the four layers. By default those of ResNeXt-101.
        width: The planes of the first layer, a multiple of 32. They double in each layer. A vector has twice as many
            numbers as the last layer has planes.
        cardinality: The groups of the 3x3x3 convolutions. By default 32.
    """

    def __init__(self, blocks: tuple[int, ...] = (3, 4, 23, 3), width: int = 128, cardinality: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        channels = 64
        for number, depth in enumerate(blocks):
            planes = width * 2**number
            layer = []
            for block in range(depth):
                # Each layer but the first halves time and space, in its first block.
                stride = 2 if number and not block else 1
                layer.append(Bottleneck(channels, planes, cardinality, stride))
                channels = 2 * planes
            self.add_module(f"layer{number + 1}", nn.Sequential(*layer))
        self.layers = len(blocks)

    def forward(self, videos: Tensor) -> Tensor:
        """Map videos (N, 3, T, H, W), from 0 to 255 minus the mean, to vectors (N, D), the mean over time and space."""
        x = functional.relu(self.bn1(self.conv1(videos)))
        x = functional.max_pool3d(x, 3, stride=2, padding=1)
        for number in range(self.layers):
            x = getattr(self, f"layer{number + 1}")(x)
        return x.mean(dim=(2, 3, 4))


@VIDEO_EMBEDDERS.register_module()
class ResNext3dEmbedder(VideoEmbedder):
    """An embedder with the 3D ResNeXt-101 of Kinetics, which maps a video to 2048 numbers.

    Frames are resized so that the shorter side has 112 pixels, and cropped to the middle. The video is cut into clips
    of 16 frames. The last clip is filled up by starting it again, as in Hara's code. The vector is the mean over the
    clips. The owner publishes no hash. Give that of your file (``sha256``) to check it. The result always contains it.

    Args:
        weights: A ``.pth`` of 3D-ResNets-PyTorch from one or several GPUs (names ``module.conv1.weight``,
            ``module.layer1.0.bn1.weight`` and so on, also without ``module.``). ``fc`` is not read. By default
            ``data/extractors/resnext-101-kinetics.pth``.
        sha256: The SHA-256 of that file. By default it is not checked.
        blocks: As in ``ResNext3d``, for another network than ResNeXt-101.
        width: As in ``ResNext3d``.
        cardinality: As in ``ResNext3d``.
        length: Frames of a clip. By default 16. The owner also publishes weights for 64.
        size: The side of the frames that the network gets, in pixels. By default 112.

    Raises:
        MissingWeightsError: The file does not exist.
        CheckpointError: The file has another hash, or contains other weights.
    """

    min_frames = 1

    def __init__(
        self,
        weights: str | None = None,
        sha256: str | None = None,
        blocks: tuple[int, ...] = (3, 4, 23, 3),
        width: int = 128,
        cardinality: int = 32,
        length: int = 16,
        size: int = 112,
    ) -> None:
        file = KINETICS.find(weights, sha256)
        self.network = ResNext3d(blocks, width, cardinality).eval().requires_grad_(False)
        self.name = f"3D ResNeXt-{3 * sum(blocks) + 2}, {width * 2 ** len(blocks)}"
        self.length, self.size = length, size
        saved = load_checkpoint_file(file)
        # Weights of a training on several GPUs have the prefix "module.".
        names = {name.removeprefix("module."): value for name, value in saved.get("state_dict", saved).items()}
        own = self.network.state_dict()
        # Files of old PyTorch versions do not contain these counters.
        counts = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}
        found = counts | {name: value for name, value in names.items() if not name.startswith("fc.")}
        check_weights(self.network, found, f"{file}, read as a {self.name},")
        self.network.load_state_dict(found)
        self.hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network.to(self.device)

    @torch.no_grad()
    def __call__(self, video: Tensor) -> Tensor:
        """Return the vector (D,) of a video (3, T, H, W), uint8."""
        frames = scaled(video.to(self.device), self.size) - torch.tensor(MEAN, device=self.device).view(3, 1, 1, 1)
        return torch.stack([self.network(clip[None])[0] for clip in clips(frames, self.length)]).mean(dim=0).cpu()


def scaled(video: Tensor, size: int) -> Tensor:
    """Return a video (C, T, H, W), uint8, as float (C, T, size, size): the shorter side resized, the middle cut out.

    >>> scaled(torch.zeros(3, 2, 60, 80, dtype=torch.uint8), 112).shape
    torch.Size([3, 2, 112, 112])
    """
    height, width = video.shape[2:]
    sides = [max(round(side * size / min(height, width)), size) for side in (height, width)]
    # (C, T, H, W) -> (T, C, H', W'): frames are the batch of the interpolation.
    frames = functional.interpolate(video.transpose(0, 1).float(), sides, mode="bilinear", antialias=True)
    top, left = ((side - size) // 2 for side in sides)
    return frames[..., top : top + size, left : left + size].transpose(0, 1)


def clips(video: Tensor, length: int) -> list[Tensor]:
    """Return clips (C, length, H, W) of a video (C, T, H, W). The last one starts again if frames are missing.

    Examples:
        >>> [clip.flatten().tolist() for clip in clips(torch.arange(6.0).view(1, 6, 1, 1), 4)]
        [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 4.0, 5.0]]
    """
    # The index modulo the length repeats a short last clip from its start.
    parts = video.split(length, dim=1)
    return [part[:, torch.arange(length, device=part.device) % part.shape[1]] for part in parts]
