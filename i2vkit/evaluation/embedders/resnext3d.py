"""What a 3D ResNeXt sees in a video."""

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
MEAN = (114.7748, 107.7354, 99.4750)  # of the training frames, on a scale of 0 to 255; no division by their spread


class Bottleneck(nn.Module):
    """1x1x1, grouped 3x3x3 and 1x1x1 convolutions around a shortcut: (N, C, T, H, W) -> (N, 2 * planes, ...)."""

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
        """(N, C, T, H, W) -> (N, 2 * planes, T', H', W')."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNext3d(nn.Module):
    """3D ResNeXt without its classifier; the names of its weights are those of 3D-ResNets-PyTorch (shortcut type B).

    Source: Hara et al., "Can spatiotemporal 3D CNNs retrace the history of 2D CNNs and ImageNet?" (2018), sec. 3.2.

    Args:
        blocks: in each of the four layers; (3, 4, 23, 3) is ResNeXt-101.
        width: planes of the first layer, a multiple of 32; doubled in each. A vector has twice those of the last one.
        cardinality: groups of the 3x3x3 convolutions.
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
                stride = 2 if number and not block else 1
                layer.append(Bottleneck(channels, planes, cardinality, stride))
                channels = 2 * planes
            self.add_module(f"layer{number + 1}", nn.Sequential(*layer))
        self.layers = len(blocks)

    def forward(self, videos: Tensor) -> Tensor:
        """Videos (N, 3, T, H, W), 0 to 255 less the mean -> (N, D), the mean over time and place."""
        x = functional.relu(self.bn1(self.conv1(videos)))
        x = functional.max_pool3d(x, 3, stride=2, padding=1)
        for number in range(self.layers):
            x = getattr(self, f"layer{number + 1}")(x)
        return x.mean(dim=(2, 3, 4))


@VIDEO_EMBEDDERS.register_module()
class ResNext3dEmbedder(VideoEmbedder):
    """3D ResNeXt-101 of Kinetics: 2048 numbers a video.

    Frames are scaled so that the shorter side has 112 pixels, and their middle is cut out. The video is cut into clips
    of 16 frames, the last one filled by starting it again as in Hara's code, and the vectors of its clips are averaged.
    The owner publishes no hash: give that of your file (``sha256``) for a check; the result states it in any case.

    Args:
        weights: ``.pth`` of 3D-ResNets-PyTorch, of a single or several GPUs (names ``module.conv1.weight``,
            ``module.layer1.0.bn1.weight`` and so on, also without ``module.``; ``fc`` is not read); by default
            ``data/extractors/resnext-101-kinetics.pth``.
        sha256: of that file.
        blocks, width, cardinality: as in ``ResNext3d``, of another network than ResNeXt-101.
        length: frames of a clip; the owner has weights for 64 too.
        size: side of the frames that the network sees.

    Raises:
        MissingWeightsError: there is no such file.
        CheckpointError: it is another file, or holds other weights.
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
        names = {name.removeprefix("module."): value for name, value in saved.get("state_dict", saved).items()}
        own = self.network.state_dict()
        counts = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}  # old files: none
        found = counts | {name: value for name, value in names.items() if not name.startswith("fc.")}
        check_weights(self.network, found, f"{file}, read as a {self.name},")
        self.network.load_state_dict(found)
        self.hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network.to(self.device)

    @torch.no_grad()
    def __call__(self, video: Tensor) -> Tensor:
        """A video (3, T, H, W) uint8 -> (D,)."""
        frames = scaled(video.to(self.device), self.size) - torch.tensor(MEAN, device=self.device).view(3, 1, 1, 1)
        return torch.stack([self.network(clip[None])[0] for clip in clips(frames, self.length)]).mean(dim=0).cpu()


def scaled(video: Tensor, size: int) -> Tensor:
    """A video (C, T, H, W) uint8 -> float (C, T, size, size), 0 to 255: scaled to the shorter side, the middle cut out.

    >>> scaled(torch.zeros(3, 2, 60, 80, dtype=torch.uint8), 112).shape
    torch.Size([3, 2, 112, 112])
    """
    height, width = video.shape[2:]
    sides = [max(round(side * size / min(height, width)), size) for side in (height, width)]
    frames = functional.interpolate(video.transpose(0, 1).float(), sides, mode="bilinear", antialias=True)
    top, left = ((side - size) // 2 for side in sides)
    return frames[..., top : top + size, left : left + size].transpose(0, 1)


def clips(video: Tensor, length: int) -> list[Tensor]:
    """A video (C, T, H, W) cut into clips (C, length, H, W); the last one starts again where frames are lacking.

    >>> [clip.flatten().tolist() for clip in clips(torch.arange(6.0).view(1, 6, 1, 1), 4)]
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 4.0, 5.0]]
    """
    parts = video.split(length, dim=1)
    return [part[:, torch.arange(length, device=part.device) % part.shape[1]] for part in parts]
