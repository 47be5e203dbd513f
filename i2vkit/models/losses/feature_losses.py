"""Losses that compare pictures by the features of networks that were trained for other tasks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.engine.checkpoints import check_hash, load_checkpoint_file, load_weights
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.clip_lengths import masked_mean
from i2vkit.models.losses.frame_losses import PassLoss, without_given
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import LOSSES, MODELS, build_part
from i2vkit.structures import VideoBatch
from i2vkit.utils.weight_files import MissingWeightsError, WeightFile

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext

VGG16 = WeightFile("https://download.pytorch.org/models/vgg16-397923af.pth", "397923af")
_LAST_CONVOLUTION = 28  # conv5_3 among the layers of VGG16
_MARGIN = 0.15  # of the box around joints: heads and feet reach beyond them


class VggFeatures(nn.Module):
    """The layers of a VGG (timm) up to one of them, frozen. The base class of networks that losses look through.

    Args:
        path: State dict of torchvision's or timm's network; by default ``file`` in ``data/extractors``.
        sha256: Hash of a file that is not torchvision's.
        trained: If false, the network has no weights and lies on the meta device, where it can be measured only.

    Attributes:
        architecture: Name of the network in timm.
        file: Its weights.
        last: The index of the last layer that is kept.

    Raises:
        MissingWeightsError: If there is no such file; the message says where to get it.
        CheckpointError: If it is another file, or holds other weights.
    """

    architecture: ClassVar[str]
    file: ClassVar[WeightFile]
    last: ClassVar[int]
    mean: Tensor
    deviation: Tensor

    def __init__(self, path: str | Path | None = None, sha256: str | None = None, trained: bool = True):
        super().__init__()
        import timm  # slow to import, and needed here only

        found = self.file.find(path, sha256) if trained else None
        with torch.device("meta"):  # without the classifier's 124 million weights
            # timm declares its models as plain modules, whose attributes have no type.
            features: nn.Sequential = timm.create_model(self.architecture).get_submodule("features")  # type: ignore[assignment]
            self.layers = features[: self.last + 1]
        if found is not None:
            self._load(found)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def _load(self, path: Path) -> None:
        self.layers = self.layers.to_empty(device="cpu")
        weights = {
            name.removeprefix("features."): value
            for name, value in load_checkpoint_file(path).items()
            if name.removeprefix("features.") in self.layers.state_dict()
        }
        try:
            self.layers.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(f"{path} does not hold the convolutions of {self.architecture.upper()}") from error

    def normalized(self, pictures: Tensor) -> Tensor:
        """Return pictures (N, 3, H, W) in [-1, 1] as the network expects them."""
        return ((pictures + 1) / 2 - self.mean) / self.deviation


class Vgg16Features(VggFeatures):
    """The last convolution of VGG16 (timm) on pictures in [-1, 1], without the ReLU after it; frozen.

    Args:
        path: State dict of torchvision's or timm's VGG16; by default ``data/extractors/vgg16-397923af.pth``.
        sha256: Hash of a file that is not torchvision's.
        trained: As of ``VggFeatures``.
    """

    architecture, file, last = "vgg16", VGG16, _LAST_CONVOLUTION

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features (N, 512, H/16, W/16) of pictures (N, 3, H, W) in [-1, 1]."""
        return self.layers(self.normalized(pictures))


def crop_boxes(frames: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Return the content of one box in each frame, scaled linearly to ``size`` x ``size``; gradients pass.

    Beyond the frame its border goes on.

    Args:
        frames: (N, C, H, W).
        boxes: (N, 4) as x0, y0, x1, y1, edges of pixels.
        size: Side of the result in pixels.

    Returns:
        (N, C, size, size).

    Examples:
        >>> frame = torch.arange(16.0).view(1, 1, 4, 4)
        >>> crop_boxes(frame, torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 2).flatten().tolist()
        [9.0, 10.0, 13.0, 14.0]
    """
    # Corners (N, 2); a box is one pixel wide and high at least.
    low, high = boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    height, width = frames.shape[2:]
    across = interpolation(low[:, 0], high[:, 0], width, size).to(frames.dtype)
    down = interpolation(low[:, 1], high[:, 1], height, size).to(frames.dtype)
    # A box stands upright, so rows and columns are interpolated one after the other, by matrix products. Unlike that of
    # grid_sample, their backward pass on CUDA always adds up in the same order. Not in bf16: that is half a grey level.
    with autocast(frames.device, enabled=False):
        # (N, C, H, W) x (N, size, W) -> (N, C, H, size), then x (N, size, H) -> (N, C, size, size)
        columns = torch.einsum("nchw,nxw->nchx", frames, across)
        return torch.einsum("nchx,nyh->ncyx", columns, down)


def interpolation(low: Tensor, high: Tensor, length: int, size: int) -> Tensor:
    """Return the matrices (N, size, length) that scale a stretch of an axis linearly to ``size`` places.

    A row holds the shares of the two pixels around a place, which sum to 1. Pixel i reaches from i to i + 1 and has its
    value at i + 0.5. Before the first and after the last pixel their values go on.

    Args:
        low: Beginnings (N,) of the stretches, in pixels.
        high: Ends (N,) of the stretches.
        length: Number of pixels of the axis.
        size: Number of places.

    Examples:
        >>> interpolation(torch.tensor([0.0]), torch.tensor([3.0]), length=4, size=2).tolist()
        [[[0.75, 0.25, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]]]
    """
    shares = (torch.arange(size, device=low.device, dtype=low.dtype) + 0.5) / size
    places = (low[:, None] + (high - low)[:, None] * shares - 0.5).clamp(0, length - 1)  # (N, size)
    pixels = torch.arange(length, device=low.device)
    # (N, size, 1) - (length,) -> (N, size, length)
    return (1 - (places[:, :, None] - pixels).abs()).clamp(min=0)


def person_boxes(clip: VideoBatch) -> Tensor:
    """Return a box (B, T, 4) around the person in every frame of the driving clip.

    These are ``clip.boxes``, or else boxes around the known joints, with a margin. Where no joint is known it is the
    whole frame.
    """
    batch, _, length, height, width = clip.driving.shape
    if clip.boxes is not None:
        return clip.boxes
    edges = [clip.driving.new_full((batch, length), edge) for edge in (0, 0, width, height)]
    whole_frame = torch.stack(edges, dim=2)  # four (B, T) -> (B, T, 4)
    if clip.joints is None:
        return whole_frame
    joints = clip.joints[:, -length:] + 0.5  # to edges, where the centre of the first pixel is at 0.5
    # The extreme known joints: (B, T, J, 2) -> (B, T, 2).
    low = joints.nan_to_num(torch.inf).amin(dim=2)
    high = joints.nan_to_num(-torch.inf).amax(dim=2)
    margin = _MARGIN * (high - low).amax(dim=2, keepdim=True)  # (B, T, 1)
    boxes = torch.cat([low - margin, high + margin], dim=2)  # (B, T, 4)
    return torch.where(boxes.isfinite().all(dim=2, keepdim=True), boxes, whole_frame)


@LOSSES.register_module()
class FeatureSimilarityLoss(PassLoss):
    """Squared difference between features of generated and real frames, the mean for each network.

    Source: FRGAN, eq. 15, after Villegas et al., 2017. The paper has the sum, but gives no weight.

    C_1 is the last convolution of VGG16 on the person, cut out by ``person_boxes`` and scaled to ``size``. C_2 is the
    output of a pose network on whole frames; the paper's is an hourglass (Newell et al., 2016). Both are loaded when
    the loss first needs them. They are no part of the model, and checkpoints leave them out.

    Args:
        pass_name: The pass whose video is compared with its target.
        vgg: The weights of VGG16, see ``Vgg16Features``.
        vgg_sha256: Their hash, see ``Vgg16Features``.
        pose: ``dict(network=dict(type=...), weights=path, sha256=...)``. The network is any module registered in
            ``MODELS`` that takes (N, 3, H, W) in [-1, 1]. None leaves the second term out.
        size: Side of the cut-out person, in pixels.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: For a pose network without weights.
        CheckpointError: When the loss first needs a network and its weights are missing or wrong; the message says what
            to fetch.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        vgg: str | None = None,
        vgg_sha256: str | None = None,
        pose: dict | None = None,
        size: int = 224,
        name: str | None = "features",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        if pose is not None and (set(pose) - {"sha256"} != {"network", "weights"}):
            raise ConfigError(f"loss '{self.name}': pose=dict(network=dict(type=...), weights=path, sha256=...)")
        self.vgg, self.vgg_sha256, self.pose, self.size = vgg, vgg_sha256, pose, size
        self._networks: dict[str, nn.Module] = {}  # a plain dict, so that they are not registered

    @property
    def frozen_networks(self) -> dict[str, str | None]:
        """The SHA-256 of the weights, or its first digits, by network; None where the config gives none."""
        networks: dict[str, str | None] = {"vgg16": self.vgg_sha256 or VGG16.sha256}
        if self.pose is not None:
            kind = self.pose["network"]["type"]
            networks[kind if isinstance(kind, str) else kind.__name__] = self.pose.get("sha256")
        return networks

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |C_1(real) - C_1(video)|^2 + E |C_2(real) - C_2(video)|^2 over true frames."""
        made, real, mask = self.compared(context)
        # Frames are judged one by one: (B, C, T, H, W) -> (B T, C, H, W), boxes (B, T, 4) -> (B T, 4).
        frames = [rearrange(video, "b c t h w -> (b t) c h w") for video in (made, real)]
        given = context.generated(self.pass_name).given
        boxes = rearrange(without_given(person_boxes(context.clip), given, 1), "b t xy -> (b t) xy")
        # The person, cut out of each frame, through VGG16; then whole frames through the pose network.
        vgg = self._network("vgg", self._build_vgg, made.device)
        total = self._distance(vgg, mask, *(crop_boxes(frame, boxes, self.size) for frame in frames))
        if self.pose is not None:
            total = total + self._distance(self._network("pose", self._build_pose, made.device), mask, *frames)
        return total

    @staticmethod
    def _distance(network: nn.Module, mask: Tensor | None, made: Tensor, real: Tensor) -> Tensor:
        """Compare frames (B T, C, H, W) by their features; padded ones do not count."""
        with torch.no_grad():
            wanted = network(real)
        # Features (B T, ...) -> (B T, K), and (B, T, K) where some frames are padded.
        squares = functional.mse_loss(network(made).float(), wanted.float(), reduction="none").flatten(1)
        return squares.mean() if mask is None else masked_mean(squares.unflatten(0, mask.shape), mask)

    def networks(self) -> list[nn.Module]:
        """Return VGG16 and, if there is one, the pose network, once the loss has loaded them."""
        return list(self._networks.values())

    def _network(self, name: str, build: Callable[[bool], nn.Module], device: torch.device) -> nn.Module:
        if name not in self._networks:
            # On the meta device costs are measured only, and no weights are needed.
            self._networks[name] = build(device.type != "meta").eval().requires_grad_(False)
        return self._networks[name].to(device)

    def _build_vgg(self, trained: bool) -> nn.Module:
        try:
            return Vgg16Features(self.vgg, self.vgg_sha256, trained)
        except MissingWeightsError as error:
            raise MissingWeightsError(
                f"loss '{self.name}' looks through VGG16, and {error}. To train without it take the config "
                f"frgan_forecast_penn_no_features, or leave the loss out as that does"
            ) from error

    def _build_pose(self, trained: bool) -> nn.Module:
        assert self.pose is not None, "forward asks for the pose network only where there is one"
        if not trained:
            return build_part(MODELS, self.pose["network"])
        path = Path(self.pose["weights"])
        if not path.is_file():
            raise CheckpointError(
                f"loss '{self.name}': the weights of the pose network are not there: {path.absolute()}; put them "
                f"there, or set pose=None"
            )
        if "sha256" in self.pose:
            check_hash(path, self.pose["sha256"])
        network = build_part(MODELS, self.pose["network"])
        load_weights(network, path)
        return network
