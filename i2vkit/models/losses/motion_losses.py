"""Losses on the motion of one pass."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.frame_losses import PassLoss, without_given
from i2vkit.registry import LOSSES
from i2vkit.structures import Motion

if TYPE_CHECKING:  # the models import the losses
    from i2vkit.models.training.context import GanContext
    from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


@LOSSES.register_module()
class MotionCycleLoss(PassLoss):
    """Mean absolute difference between the motion that a video was made from and the motion encoded from that video.

    It compares the trajectories at every true frame (DTGAN, eq. 6), or the codes where there is no trajectory. Of a
    variational code it compares the means (Dual-MTGAN, eq. 7), of learned points the places.

    Args:
        pass_name: The pass whose generated video is encoded again.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: If no motion encoder reads videos.
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "motion_l1", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def needs_whole_clip(self, model: "ImageToVideoGan") -> bool:
        """Return true: the generated video is encoded again."""
        return True

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if no motion encoder reads videos."""
        model.generator.check_encodes_video()

    def forward(self, context: "GanContext") -> Tensor:
        """Return E |motion - reencoded motion|."""
        motion, reencoded = context.encoded(self.pass_name), context.reencoded(self.pass_name)  # both with their graphs
        # (B, T, D) of a trajectory or of a code a step, (B, D) of one code a clip.
        if motion.points:
            # (B, T, K, 2) -> (B, T, 2 K)
            difference = (motion.points["driving"].place - reencoded.points["driving"].place).abs().flatten(2)
        elif motion.trajectory is not None:
            assert reencoded.trajectory is not None, "both come from the same motion encoder"
            difference = (motion.trajectory - reencoded.trajectory).abs()
        else:
            difference = (_code(motion) - _code(reencoded)).abs()
        if difference.dim() == 2:  # one code a clip: no frames to mask
            return difference.mean()
        given = context.generated(self.pass_name).given
        mask = true_frames(motion.num_frames, difference.shape[1])  # (B, T) or None
        return masked_mean(without_given(difference, given, 1), without_given(mask, given, 1))


def _code(motion: Motion) -> Tensor:
    """Return the mean of a variational motion code, or else the code itself."""
    code = motion.code if motion.mean is None else motion.mean
    assert code is not None, "a motion encoder gives a trajectory or a code"
    return code


@LOSSES.register_module()
class KlLoss(PassLoss):
    """KL(q || p) of the motion code, summed over its axes, the mean over the batch.

    q is N(mean, exp(log_variance)). p is N(0, I), or the motion encoder's own prior. With one code for each step the
    loss is also the mean over the true steps, in a rollout over the generated ones.

    Source: Dual-MTGAN, eq. 2; of ``free_nats`` Kingma et al., 2016 (ours).

    Args:
        pass_name: The pass whose motion is encoded.
        free_nats: Below so many nats the loss is constant and has no gradient, so that it does not empty the rest of
            the code.
        max_nats: Training ends with an error above so many nats a clip. While a decoder does not read the code, nothing
            else shows that it has run away, to 1e31 in one of our trials.
        name: As of ``Loss``.
        weight: As of ``Loss``.

    Raises:
        ConfigError: If the motion is not variational.
        TrainingError: If the divergence is above ``max_nats``.
    """

    def __init__(
        self,
        pass_name: str = "reconstruct",
        free_nats: float = 0.0,
        max_nats: float = 1e4,
        name: str | None = "kl",
        weight: float | Sequence = 1.0,
    ):
        super().__init__(pass_name, name, weight)
        self.free_nats, self.max_nats = free_nats, max_nats

    def check(self, model: "ImageToVideoGan") -> None:
        """Raise ``ConfigError`` if the pass encodes no motion, or one that is not variational."""
        if not model.generator.encoded.variational or model.passes[self.pass_name].motion != "driving":
            raise ConfigError(
                f"loss '{self.name}' needs a variational motion encoder, for instance Conv3dEncoder, and a pass with "
                f'motion="driving"'
            )

    def forward(self, context: "GanContext") -> Tensor:
        """Return the divergence in nats, at least ``free_nats``."""
        motion = context.encoded(self.pass_name)
        assert motion.mean is not None and motion.log_variance is not None, "check has asked for a variational encoder"
        mean, log_variance = motion.mean.float(), motion.log_variance.float()  # squares of bf16 are coarse
        # Twice the divergence of each axis: (B, D), or (B, T, D) with a code a step.
        if motion.prior_mean is None:
            terms = mean.square() + log_variance.exp() - 1 - log_variance
        else:
            assert motion.prior_log_variance is not None, "a prior has a mean and a log-variance"
            prior_mean, prior_log_variance = motion.prior_mean.float(), motion.prior_log_variance.float()
            # The log of the ratio of the variances, and the distance of the means in deviations of the prior, squared.
            narrowing = log_variance - prior_log_variance
            moved = (mean - prior_mean).square() * (-prior_log_variance).exp()
            terms = moved + narrowing.exp() - 1 - narrowing  # 0 where both distributions are equal
        divergence = 0.5 * terms.sum(dim=-1)  # (B,), or (B, T) with a code a step
        if divergence.dim() == 1:  # one code a clip: no steps to mask
            return divergence.mean().clamp(min=self.free_nats)
        given = context.generated(self.pass_name).given
        mask = true_frames(motion.num_frames, divergence.shape[1])  # (B, T) or None
        made = masked_mean(without_given(divergence, given, 1), without_given(mask, given, 1))
        return made.clamp(min=self.free_nats)

    def check_value(self, value: float, iteration: int) -> None:
        """Raise ``TrainingError`` if the divergence is above ``max_nats``."""
        if value > self.max_nats:
            raise TrainingError(
                f"loss '{self.name}' is {value:.3g} nats a clip at iteration {iteration}, above max_nats="
                f"{self.max_nats:g}: the motion code has run away. Give the loss a weight from the start (1e-5 is "
                f"enough), lower the learning rate, or narrow the motion encoder's log_variance_bounds"
            )
