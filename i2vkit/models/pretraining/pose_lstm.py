"""A recurrent network that continues a sequence of poses."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from i2vkit.errors import ConfigError, DataError
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import MODELS
from i2vkit.structures import VideoBatch, VideoSample


def to_unit(joints: Tensor, size: int) -> Tensor:
    """Return joints in pixels of pictures of ``size``, converted to [-1, 1].

    -1 is the middle of the first pixel, 1 that of the last.

    Examples:
        >>> to_unit(torch.tensor([0.0, 63.0]), 64).tolist()
        [-1.0, 1.0]
    """
    return joints * (2 / (size - 1)) - 1


def to_pixels(joints: Tensor, size: int) -> Tensor:
    """Return joints in [-1, 1] in pixels of pictures of ``size``: the reverse of ``to_unit``.

    Examples:
        >>> to_pixels(torch.tensor([-1.0, 1.0]), 64).tolist()
        [0.0, 63.0]
    """
    return (joints + 1) * ((size - 1) / 2)


def last_known(joints: Tensor) -> Tensor:
    """Return joints (B, T, J, 2) in which unknown ones (NaN) are replaced by their last known position.

    Before a joint is known for the first time it has that first position. A joint that is never known is at 0, the
    middle.

    Examples:
        >>> last_known(torch.tensor([float("nan"), 2.0, float("nan"), 3.0]).view(1, 4, 1, 1)).flatten().tolist()
        [2.0, 2.0, 2.0, 3.0]
    """
    known = joints.isfinite().all(dim=-1, keepdim=True)  # (B, T, J, 1)
    # The last step (B, T, J, 1) at which a joint was known, -1 before the first; and that first step (B, 1, J, 1).
    steps = torch.arange(joints.shape[1], device=joints.device).view(1, -1, 1, 1)
    last = torch.where(known, steps, -1).cummax(dim=1).values
    first = torch.where(known, steps, joints.shape[1]).amin(dim=1, keepdim=True).clamp(max=joints.shape[1] - 1)
    place = torch.where(last >= 0, last, first).expand_as(joints)  # (B, T, J, 2)
    return joints.nan_to_num(0.0).gather(1, place)


@MODELS.register_module()
class PoseLstm(nn.Module):
    """An LSTM that sees ``observed`` poses and predicts the poses after them.

    After these poses it gets no input, in training as in testing. Each output is added to the last pose that it has
    seen. Unknown joints enter at their last known position, with a flag. The sum and the flag are ours, as the paper
    leaves both open. Without the sum it would have to learn "stand still" first.

    Source: Villegas et al., "Learning to generate long-term future via hierarchical prediction", 2017, sec. 3.1, which
    FRGAN adopts.

    Args:
        image_size: Side of the pictures in whose pixels the joints are given.
        observed: Number of poses that it sees, 1 or more.
        num_joints: Number of joints of a pose.
        hidden: Units of the LSTM; 1024 in Villegas et al.

    Raises:
        ConfigError: If it is to see no pose.

    Examples:
        >>> lstm = PoseLstm(image_size=64, observed=2, num_joints=3, hidden=8)
        >>> lstm.forecast(torch.full((1, 2, 3, 2), 10.0), length=4).shape
        torch.Size([1, 4, 3, 2])
    """

    predicts = "poses"

    def __init__(self, image_size: int, observed: int = 10, num_joints: int = 13, hidden: int = 1024):
        super().__init__()
        if observed < 1:
            raise ConfigError(f"a PoseLstm has to see at least one pose: set observed=1 or more, not {observed}")
        self.image_size, self.observed, self.num_joints, self.hidden = image_size, observed, num_joints, hidden
        self.lstm = nn.LSTM(3 * num_joints, hidden, batch_first=True)
        self.change = nn.Linear(hidden, 2 * num_joints)
        nn.init.zeros_(self.change.bias)
        nn.init.normal_(self.change.weight, std=1e-3)  # at first nobody moves

    def forward(self, clip: VideoBatch, requested: Sequence[str] = ("poses",)) -> dict[str, Tensor]:
        """Return "poses" (B, T, J, 2) in [-1, 1], those after the first ``observed`` of ``clip.joints``.

        Raises:
            DataError: If the clip has no joints, or no more than it sees.
        """
        if clip.joints is None or clip.joints.shape[1] <= self.observed:
            given = "none" if clip.joints is None else f"{clip.joints.shape[1]}"
            raise DataError(
                f"the pose LSTM needs more than {self.observed} poses a clip and got {given}: take "
                f"ReadPoints(required=['joints']) and longer windows"
            )
        future = clip.joints.shape[1] - self.observed
        return {"poses": to_unit(self.forecast(clip.joints[:, : self.observed], future), self.image_size)}

    def forecast(self, joints: Tensor, length: int) -> Tensor:
        """Return the ``length`` poses after some seen poses.

        Args:
            joints: The seen poses (B, observed, J, 2) in pixels, NaN where unknown.
            length: Number of poses to predict, T.

        Returns:
            (B, T, J, 2) in pixels.

        Raises:
            DataError: For another number of poses or joints.
        """
        if joints.shape[1:] != (self.observed, self.num_joints, 2):
            raise DataError(
                f"the pose LSTM sees {self.observed} poses of {self.num_joints} joints, not {tuple(joints.shape[1:])}"
            )
        known = joints.isfinite().all(dim=-1, keepdim=True).to(self.change.weight.dtype)  # (B, P, J, 1)
        poses = to_unit(last_known(joints.to(self.change.weight.dtype)), self.image_size)
        poses = torch.where(joints.isfinite().any(dim=1, keepdim=True), poses, 0.0)  # never known: the middle
        seen = torch.cat([poses, known], dim=-1).flatten(2)  # (B, P, J * 3)
        # Places in bf16 would be up to half a pixel off. PyTorch has no such LSTM for CPUs without AVX-512, either.
        with autocast(seen.device, enabled=False):
            _, state = self.lstm(seen)
            # Zeros (B, T, J * 3) as inputs: all motion comes from the state.
            outputs, _ = self.lstm(seen.new_zeros(len(seen), length, seen.shape[2]), state)
            changes = self.change(outputs).unflatten(2, (self.num_joints, 2))  # (B, T, 2 J) -> (B, T, J, 2)
        # Each output is the change since the last seen pose (B, 1, J, 2).
        return to_pixels(poses[:, -1:] + changes, self.image_size)

    def report(self, output: Tensor, clip: VideoBatch, samples: Sequence[VideoSample]) -> None:
        """Fill in the predicted ``poses``, ``true_poses`` and ``seen_poses``, each (T, J, 2) in pixels."""
        assert clip.joints is not None, "forward refuses clips without joints"
        predicted = to_pixels(output, self.image_size).cpu()
        for sample, poses, joints in zip(samples, predicted, clip.joints.cpu(), strict=True):
            sample.poses = poses
            sample.seen_poses, sample.true_poses = joints[: self.observed], joints[self.observed :]
