"""Losses on the motion of one pass."""

from collections.abc import Sequence

from torch import Tensor

from i2vkit.errors import ConfigError, TrainingError
from i2vkit.models.clip_lengths import masked_mean, true_frames
from i2vkit.models.losses.frame_losses import PassLoss, without_given
from i2vkit.registry import LOSSES


@LOSSES.register_module()
class MotionCycleLoss(PassLoss):
    """Mean absolute difference of the motion a video was made from and the motion encoded from that video: of the
    trajectory at every true frame (DTGAN, eq. 6), or of the code, its mean where it is variational (Dual-MTGAN, eq. 7).
    """

    def __init__(self, pass_name: str = "reconstruct", name: str | None = "motion_l1", weight: float | Sequence = 1.0):
        super().__init__(pass_name, name, weight)

    def needs_whole_clip(self, model) -> bool:
        """True: the generated video is encoded anew."""
        return True

    def check(self, model) -> None:
        """Raise ``ConfigError`` if no motion encoder reads videos."""
        model.generator.check_encodes_video()

    def forward(self, context) -> Tensor:
        """E |motion - reencoded motion|."""
        wanted, found = context.encoded(self.pass_name), context.reencoded(self.pass_name)
        stepwise = wanted.trajectory is not None
        wanted, found = ((its.trajectory if stepwise else _code(its)) for its in (wanted, found))
        if wanted.dim() == 2:  # one code a clip
            return (wanted - found).abs().mean()
        given = context.generated(self.pass_name).given
        mask = true_frames(context.encoded(self.pass_name).num_frames, wanted.shape[1])
        return masked_mean(without_given((wanted - found).abs(), given, 1), without_given(mask, given, 1))


def _code(motion) -> Tensor:
    return motion.code if motion.mean is None else motion.mean


@LOSSES.register_module()
class KlLoss(PassLoss):
    """KL(q || p) of the motion code, summed over its axes, the mean over the batch (Dual-MTGAN, eq. 2).

    q is N(mean, exp(log_variance)); p is N(0, I), or the prior of the motion encoder's own. With a code a step it is
    the mean over the true steps too, in a rollout over those that were made.

    Args:
        free_nats: below so many nats the loss is constant and pulls no more (ours; Kingma et al., 2016): what is left
            of the code is not emptied.
        max_nats: of more nats a clip training ends with an error. While a decoder does not read the code, nothing else
            tells that it has run away, to 1e31 in one of our trials.

    Raises:
        ConfigError: if the motion is not variational.
        TrainingError: if the divergence is above ``max_nats``.
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

    def check(self, model) -> None:
        """Raise ``ConfigError`` if the pass encodes no motion, or one that is not variational."""
        if not model.generator.encoded.variational or model.passes[self.pass_name].motion != "driving":
            raise ConfigError(
                f"loss '{self.name}' needs a variational motion encoder, for instance Conv3dEncoder, and a pass with "
                f'motion="driving"'
            )

    def forward(self, context) -> Tensor:
        """The divergence in nats, ``free_nats`` at least."""
        motion = context.encoded(self.pass_name)
        mean, log_variance = motion.mean.float(), motion.log_variance.float()  # squares of bf16 are coarse
        if motion.prior_mean is None:
            terms = mean.square() + log_variance.exp() - 1 - log_variance
        else:
            prior_mean, prior_log_variance = motion.prior_mean.float(), motion.prior_log_variance.float()
            narrowing = log_variance - prior_log_variance
            moved = (mean - prior_mean).square() * (-prior_log_variance).exp()
            terms = moved + narrowing.exp() - 1 - narrowing
        divergence = 0.5 * terms.sum(dim=-1)  # (B,), or (B, T) with a code a step
        if divergence.dim() == 1:
            return divergence.mean().clamp(min=self.free_nats)
        given = context.generated(self.pass_name).given
        mask = true_frames(motion.num_frames, divergence.shape[1])
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
