"""Losses that compare pictures by the features of networks trained for something else."""

from collections.abc import Callable, Sequence
from pathlib import Path

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

VGG16 = WeightFile("https://download.pytorch.org/models/vgg16-397923af.pth", "397923af")
_LAST_CONVOLUTION = 28  # conv5_3 among the layers of VGG16
_MARGIN = 0.15  # of the box around joints: heads and feet reach beyond them


class Vgg16Features(nn.Module):
    """The last convolution of VGG16 (timm) on pictures in [-1, 1], without the ReLU behind it; frozen.

    Args:
        path: state dict of torchvision's or timm's VGG16; by default ``data/extractors/vgg16-397923af.pth``.
        sha256: of a file that is not torchvision's.
        trained: without weights it lies on the meta device, where it can be measured and not be used.

    Raises:
        MissingWeightsError: there is no such file; says where it is to be had.
        CheckpointError: it is another file, or holds other weights.
    """

    def __init__(self, path: str | Path | None = None, sha256: str | None = None, trained: bool = True):
        super().__init__()
        import timm  # slow to import, and needed here only

        path = VGG16.find(path, sha256) if trained else None
        with torch.device("meta"):  # without the classifier's 124 million weights
            self.layers = timm.create_model("vgg16").features[: _LAST_CONVOLUTION + 1]
        if path is not None:
            self._load(path)
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
            raise CheckpointError(f"{path} does not hold the convolutions of VGG16") from error

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [-1, 1] to features (N, 512, H/16, W/16)."""
        return self.layers(((pictures + 1) / 2 - self.mean) / self.deviation)


def crop_boxes(frames: Tensor, boxes: Tensor, size: int) -> Tensor:
    """What stands in a box of each frame, scaled linearly to ``size`` x ``size``; gradients pass.

    ``frames`` (N, C, H, W); ``boxes`` (N, 4) as x0, y0, x1, y1, edges of pixels. Beyond the frame its border goes on.

    >>> frame = torch.arange(16.0).view(1, 1, 4, 4)
    >>> crop_boxes(frame, torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 2).flatten().tolist()
    [9.0, 10.0, 13.0, 14.0]
    """
    low, high = boxes[:, :2], torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    height, width = frames.shape[2:]
    across = interpolation(low[:, 0], high[:, 0], width, size).to(frames.dtype)
    down = interpolation(low[:, 1], high[:, 1], height, size).to(frames.dtype)
    # A box stands upright, so rows and columns are interpolated one after the other, by matrix products. Unlike that of
    # grid_sample, their backward pass on CUDA always adds up in the same order. Not in bf16: that is half a grey level.
    with autocast(frames.device, enabled=False):
        columns = torch.einsum("nchw,nxw->nchx", frames, across)
        return torch.einsum("nchx,nyh->ncyx", columns, down)


def interpolation(low: Tensor, high: Tensor, length: int, size: int) -> Tensor:
    """Return the matrices (N, size, length) that scale what stands from ``low`` to ``high`` (N,) linearly to ``size``.

    A row holds the shares of the two pixels around a place, 1 in sum. Pixel i reaches from i to i + 1 and has its value
    at i + 0.5. Beyond the first and the last pixel's value they go on.

    >>> interpolation(torch.tensor([0.0]), torch.tensor([3.0]), length=4, size=2).tolist()
    [[[0.75, 0.25, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]]]
    """
    shares = (torch.arange(size, device=low.device, dtype=low.dtype) + 0.5) / size
    places = (low[:, None] + (high - low)[:, None] * shares - 0.5).clamp(0, length - 1)  # (N, size)
    pixels = torch.arange(length, device=low.device)
    return (1 - (places[:, :, None] - pixels).abs()).clamp(min=0)


def person_boxes(clip: VideoBatch) -> Tensor:
    """A box (B, T, 4) around the person of every frame of the driving clip: ``clip.boxes``, or around the joints that
    are known, with a margin; the whole frame where none is.
    """
    batch, _, length, height, width = clip.driving.shape
    if clip.boxes is not None:
        return clip.boxes
    edges = [clip.driving.new_full((batch, length), edge) for edge in (0, 0, width, height)]
    whole = torch.stack(edges, dim=2)
    if clip.joints is None:
        return whole
    joints = clip.joints[:, -length:] + 0.5  # to edges, where the centre of the first pixel is at 0.5
    low = joints.nan_to_num(torch.inf).amin(dim=2)
    high = joints.nan_to_num(-torch.inf).amax(dim=2)
    margin = _MARGIN * (high - low).amax(dim=2, keepdim=True)
    boxes = torch.cat([low - margin, high + margin], dim=2)
    return torch.where(boxes.isfinite().all(dim=2, keepdim=True), boxes, whole)


@LOSSES.register_module()
class FeatureSimilarityLoss(PassLoss):
    """Squared difference of features of generated and real frames, of each network the mean (FRGAN, eq. 15, after
    Villegas et al., 2017; the paper has the sum, but gives no weight).

    C_1 is the last convolution of VGG16 on the person, cut out by ``person_boxes`` and scaled to ``size``. C_2 is the
    output of a pose network on whole frames: ``pose=dict(network=dict(type=...), weights=path, sha256=...)``, any
    module registered in ``MODELS`` that takes (N, 3, H, W) in [-1, 1]; the paper's is an hourglass (Newell et al.,
    2016). Both are loaded when the loss is first asked for, and are no part of the model: checkpoints leave them out.

    Args:
        vgg, vgg_sha256: see ``Vgg16Features``; ``pose=None`` leaves the second term out.

    Raises:
        ConfigError: for a pose network without weights.
        CheckpointError: when it is first asked for and weights are missing or wrong; says what to fetch.
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
        """The SHA-256 of the weights, or its first digits, by network; None where the config states none."""
        networks = {"vgg16": self.vgg_sha256 or VGG16.sha256}
        if self.pose is not None:
            kind = self.pose["network"]["type"]
            networks[kind if isinstance(kind, str) else kind.__name__] = self.pose.get("sha256")
        return networks

    def forward(self, context) -> Tensor:
        """E |C_1(real) - C_1(video)|^2 + E |C_2(real) - C_2(video)|^2 over true frames."""
        made, real, mask = self.compared(context)
        frames = [rearrange(video, "b c t h w -> (b t) c h w") for video in (made, real)]
        given = context.generated(self.pass_name).given
        boxes = rearrange(without_given(person_boxes(context.clip), given, 1), "b t xy -> (b t) xy")
        vgg = self._network("vgg", self._build_vgg, made.device)
        total = self._distance(vgg, mask, *(crop_boxes(frame, boxes, self.size) for frame in frames))
        if self.pose is not None:
            total = total + self._distance(self._network("pose", self._build_pose, made.device), mask, *frames)
        return total

    @staticmethod
    def _distance(network: nn.Module, mask: Tensor | None, made: Tensor, real: Tensor) -> Tensor:
        """Of features of frames (B T, C, H, W): padded ones pass through the network too, and do not count."""
        with torch.no_grad():
            wanted = network(real)
        squares = functional.mse_loss(network(made).float(), wanted.float(), reduction="none").flatten(1)
        return squares.mean() if mask is None else masked_mean(squares.unflatten(0, mask.shape), mask)

    def networks(self) -> list[nn.Module]:
        """VGG16 and, if there is one, the pose network, once they have been asked for."""
        return list(self._networks.values())

    def _network(self, name: str, build: Callable[[bool], nn.Module], device: torch.device) -> nn.Module:
        if name not in self._networks:
            # What is only measured, on the meta device, needs no weights.
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
