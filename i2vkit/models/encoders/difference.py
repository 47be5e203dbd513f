"""A recurrent motion encoder on the differences of successive frames."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import MotionEncoder
from i2vkit.models.layers.conv_lstm import ConvLstm
from i2vkit.models.layers.initialization import InitialWeights, init_weights_
from i2vkit.models.layers.stages import check_odd, check_stages, conv_stage, pooled
from i2vkit.registry import MOTION_ENCODERS
from i2vkit.structures import FeatureSpec, Motion, Spec, VideoBatch

GREY = (0.299, 0.587, 0.114)  # weights of red, green and blue


@MOTION_ENCODERS.register_module()
class DifferenceEncoder(MotionEncoder):
    """A convolutional LSTM on grey difference images of the frames before, which were given or made (MCNet).

    The image of a step is grey(x_t) - grey(x_t-1) of the last two frames before it, with grey in [0, 1]. Each stage is
    one convolution and a max pooling. The maps before the poolings and the hidden state of the LSTM are the map group
    "driving". A part that reads a trajectory gets a linear layer on the hidden state. With ``labelled`` the label of
    the clip is beside every difference image, as constant maps.

    Source: Villegas et al., 2017.

    Ours:
        the difference image of the first frame is 0, since one image is given
        when labelled=True: the one-hot label enters as constant maps

    Args:
        image_size: Side of the frames in pixels.
        widths: Channels of the stages. The LSTM has as many as the last one.
        kernels: Side of the kernel of each stage, odd.
        code: Size of a step of the trajectory.
        labelled: True reads the label of the clip. Default False.
        num_labels: Number of labels of the model.
        initial_weights: Standard deviation of the initial weights, "xavier", or "torch" for torch's own.
        requested: Fields that other parts read. Without "motion.trajectory" the linear layer is left out.

    Raises:
        ConfigError: There is not one odd kernel for each stage, the frames cannot be halved so often, or the model has
            no labels to read.
    """

    provides = ("motion.maps", "motion.trajectory")
    supports_chunks = reads_past = True
    weights: Tensor

    def __init__(
        self,
        image_size: int,
        widths: tuple[int, ...] = (64, 128, 256),
        kernels: tuple[int, ...] = (5, 5, 7),
        code: int = 128,
        labelled: bool = False,
        num_labels: int = 0,
        initial_weights: InitialWeights = "xavier",
        requested: tuple[str, ...] = provides,
    ):
        super().__init__()
        check_stages("DifferenceEncoder", image_size, widths, kernels)
        check_odd("DifferenceEncoder", *kernels)
        self.register_buffer("weights", torch.tensor(GREY).view(1, 3, 1, 1, 1), persistent=False)
        if labelled and not num_labels:
            raise ConfigError("DifferenceEncoder has labelled=True, and this model has no labels: set model.labels")
        self.reads_label, self.num_labels = labelled, num_labels if labelled else 0
        inputs = (1 + self.num_labels, *widths)
        self.stages = nn.ModuleList(
            conv_stage(width_in, width, 1, kernel, None, "relu")
            for width_in, width, kernel in zip(inputs, widths, kernels, strict=False)
        )
        self.lstm = ConvLstm(widths[-1], widths[-1])
        side = image_size >> len(widths)  # of the LSTM's maps
        code = code if "motion.trajectory" in requested else 0
        self.to_trajectory = nn.Linear(widths[-1] * side**2, code) if code else None
        levels = [FeatureSpec(width, 1 << i) for i, width in enumerate(widths)]
        levels.append(FeatureSpec(widths[-1], 1 << len(widths)))
        self.spec = Spec(trajectory=code, maps=tuple(levels), map_groups=("driving",))
        init_weights_(self, initial_weights)

    def differences(self, frames: Tensor, before: Tensor) -> Tensor:
        """Return the change of brightness (B, 1, T, H, W) in [-1, 1] of frames (B, 3, T, H, W) in [-1, 1].

        ``before`` (B, 3, 1, H, W) is the frame before the first one.
        """
        grey = (torch.cat([before, frames], dim=2) * self.weights).sum(dim=1, keepdim=True)  # (B, 1, 1 + T, H, W)
        return (grey[:, :, 1:] - grey[:, :, :-1]) / 2  # from [-1, 1] to a brightness in [0, 1]

    def _label_maps(self, clip: VideoBatch, like: Tensor) -> Tensor:
        """Return the one-hot labels of the clips as constant maps (B T, L, H, W) beside ``like`` (B T, 1, H, W)."""
        if clip.label is None:
            raise ConfigError(
                f"DifferenceEncoder reads one of {self.num_labels} labels (labelled=True), and the clip has none: give "
                f"one"
            )
        one_hot = functional.one_hot(clip.label, self.num_labels).to(like.dtype)  # (B,) -> (B, L)
        steps = one_hot.repeat_interleave(len(like) // len(one_hot), dim=0)  # (B, L) -> (B T, L)
        return steps[:, :, None, None].expand(-1, -1, *like.shape[2:])

    def forward(self, clip: VideoBatch, state: GenerationState) -> Motion:
        """Return maps (B, C_i, T, H_i, W_i), and a trajectory (B, T, D), of the frames before each step."""
        frames = clip.driving  # those before each step: (B, 3, T, H, W)
        batch, length = len(frames), frames.shape[2]
        before, hidden = state.recurrent.get(self, (frames[:, :, :1], None))
        x, levels = rearrange(self.differences(frames, before), "b c t h w -> (b t) c h w"), []
        if self.reads_label:
            x = torch.cat([x, self._label_maps(clip, x)], dim=1)
        for stage in self.stages:
            levels.append(stage(x))
            x = pooled(levels[-1], "max")
        outputs, hidden = self.lstm(rearrange(x, "(b t) c h w -> b t c h w", b=batch), hidden)
        state.recurrent[self] = (frames[:, :, -1:], hidden)
        # (B T, C, H, W) and (B, T, C, H, W) -> (B, C, T, H, W)
        maps = [rearrange(level, "(b t) c h w -> b c t h w", b=batch) for level in levels]
        maps.append(rearrange(outputs, "b t c h w -> b c t h w"))
        trajectory = None if self.to_trajectory is None else self.to_trajectory(outputs.flatten(2))
        return Motion(length, trajectory=trajectory, maps=dict(driving=tuple(maps)), num_frames=clip.num_frames)
