"""The training step of a GAN as plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from i2vkit.analysis.source.adversarial_text import AdversarialText
from i2vkit.analysis.source.text import format_number
from i2vkit.errors import ConfigError
from i2vkit.models.losses import (
    AdversarialLoss,
    CategoryLoss,
    ContentInvarianceLoss,
    ContentVarianceRatio,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    FirstFrameL1Loss,
    FrameL1Loss,
    KlLoss,
    MaskSparsityLoss,
    MotionCycleLoss,
)
from i2vkit.models.losses.base import Loss
from i2vkit.models.training.image_to_video_gan import ImageToVideoGan
from i2vkit.models.training.phases import Phase


class StepText(AdversarialText):
    """The text of ``train_step`` of a GAN.

    Args:
        model: The model.
    """

    def __init__(self, model: ImageToVideoGan):
        super().__init__(model)
        self._updated = False  # True behind a phase of the generator

    def lines(self) -> list[str]:
        """Return ``train_step``: all phases of a step, in their order.

        Raises:
            ConfigError: A phase or a loss is not written as source.
        """
        if self.model.decoded_frames is not None:
            raise ConfigError("a training that decodes some frames is not written as source: set decoded_frames=None")
        self._say("def train_step(self, clip: VideoBatch, iteration: int = 0) -> dict[str, Tensor]:", 0)
        self._say('"""Take one training step on a batch, and return all losses without their weights."""', 4)
        self._say("made = self.generator(clip)  # once for all phases", 4)
        self._unpack(4)
        self._say("losses = {}", 4)
        start = len(self._lines)
        for phase in self.model.phases:
            self._phase(phase)
        self._say("return losses", 4)
        if any("reencoded" in line for line in self._lines):
            self._lines.insert(start, "        state = RandomState(len(clip.driving), clip.driving.device)")
        return self._lines

    def _unpack(self, indent: int) -> None:
        for name in self.model.passes:
            self._say(f'{name} = made["{name}"]', indent)

    def _phase(self, phase: Phase) -> None:
        if phase.repeat != 1:
            raise ConfigError(f"phase '{phase.name}' repeats, which is not written as source: set repeat=1")
        losses = [loss for loss in phase.losses if not (len(loss.schedule) == 1 and loss.schedule[0][1] == 0)]
        generator = any(path.split(".")[0] == "generator" for path in phase.updates)
        self._say("", 0)
        self._say(f'# Phase "{phase.name}" updates {", ".join(phase.updates)}.', 4)
        conditions = when(phase)
        indent = 4
        if conditions:
            self._say(f"if {conditions}:", 4)
            indent = 8
        self._depth += indent
        for path in phase.eval_modules:
            self._say(f"self.{path}.eval()", 0)
        if generator and self._updated:
            self._say("made = self.generator(clip)  # with the new weights", 0)
            self._unpack(0)
            self._reencoded.clear()
        for loss in losses:
            self._loss(loss)
        terms = [_weighted(loss) for loss in losses]
        if sum(map(len, terms)) < 80:
            self._say(f"total = {' + '.join(terms)}", 0)
        else:
            self._say("total = (", 0)
            for number, term in enumerate(terms):
                self._say(f"{'+ ' if number else ''}{term}", 4)
            self._say(")", 0)
        if any(len(loss.schedule) > 1 for loss in losses):
            self.helpers.add("schedule")
        self._say(f'self.optimizers["{phase.name}"].zero_grad()', 0)
        self._say("total.backward()", 0)
        self._say(f'self.optimizers["{phase.name}"].step()', 0)
        for path in phase.eval_modules:
            self._say(f"self.{path}.train()", 0)
        self._depth -= indent
        self._updated = self._updated or generator

    def _loss(self, loss: Loss) -> None:
        writer = _WRITERS.get(type(loss))
        if writer is None:
            raise ConfigError(
                f"loss '{loss.name}' ({type(loss).__name__}) is not written as source: leave it out, "
                f"model.phases.<phase>.losses.{loss.name}=None"
            )
        writer(self, loss)

    def frame_l1(self, loss: FrameL1Loss) -> None:
        """Write the difference between the generated and the real video."""
        name, real = loss.pass_name, self._real(loss.pass_name)
        difference = f"({name}.video - {real}).abs()"
        if loss.motion_weight:
            self._say("# Pixels that change weigh more.", 0)
            self._say(f"change = ({real} - {real}[:, :, :1]).abs().amax(dim=1, keepdim=True)", 0)
            difference = f"((1 + {format_number(loss.motion_weight)} * change) * {difference})"
        self._say(f"{loss.name} = {difference}.mean()", 0)
        self._log(loss.name)

    def mask(self, loss: MaskSparsityLoss) -> None:
        """Write the mean of the mask."""
        self._say(f"{loss.name} = {loss.pass_name}.mask.abs().mean()", 0)
        self._log(loss.name)

    def first_frame(self, loss: FirstFrameL1Loss) -> None:
        """Write the difference between the first frame and the image."""
        made = loss.pass_name
        self._say(f"{loss.name} = ({made}.video[:, :, 0] - {made}.content.image).abs().mean()", 0)
        self._log(loss.name)

    def motion_cycle(self, loss: MotionCycleLoss) -> None:
        """Write the difference between a motion and the motion in the video that it made."""
        encoded = self.model.generator.encoded
        field = "trajectory" if encoded.trajectory else "mean" if encoded.variational else "code"
        if field != "trajectory" and self.model.passes[loss.pass_name].motion == "prior":
            field = "code"
        again = self._reencode(loss.pass_name)
        other = "mean" if field == "mean" else field
        self._say(f"{loss.name} = ({loss.pass_name}.encoded.{field} - {again}.{other}).abs().mean()", 0)
        self._log(loss.name)

    def content_invariance(self, loss: ContentInvarianceLoss) -> None:
        """Write the difference between the codes of neighbouring frames."""
        self._say(f"codes = {loss.pass_name}.content.code", 0)
        value = "(codes[:, 1:] - codes[:, :-1]).abs().mean()"
        if loss.relative:
            value += " / (codes - codes.mean(dim=(0, 1))).abs().mean()"
        self._say(f"{loss.name} = {value}", 0)
        self._log(loss.name)

    def kl(self, loss: KlLoss) -> None:
        """Write the divergence of the posterior from N(0, I)."""
        if (
            getattr(self.model.generator.motion_encoder, "prior", None) is not None
            and self.model.generator.encoded.code_per_step
        ):
            raise ConfigError("a learned prior is not written as source")
        self._say(f"mean, log_variance = {loss.pass_name}.encoded.mean, {loss.pass_name}.encoded.log_variance", 0)
        self._say("nats = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)  # (B,)", 0)
        clamp = f".clamp(min={format_number(loss.free_nats)})" if loss.free_nats else ""
        self._say(f"{loss.name} = nats.mean(){clamp}", 0)
        self._log(loss.name)

    def measured(self, loss: Loss) -> None:
        """Leave out a loss that is only measured."""


_WRITERS: dict[type, Callable] = {
    DiscriminatorLoss: StepText.discriminator_loss,
    AdversarialLoss: StepText.adversarial_loss,
    DiscriminatorCategoryLoss: StepText.category_loss,
    CategoryLoss: StepText.category_loss,
    FrameL1Loss: StepText.frame_l1,
    MaskSparsityLoss: StepText.mask,
    FirstFrameL1Loss: StepText.first_frame,
    MotionCycleLoss: StepText.motion_cycle,
    ContentInvarianceLoss: StepText.content_invariance,
    ContentVarianceRatio: StepText.measured,
    KlLoss: StepText.kl,
}


def when(phase: Phase) -> str:
    """Return the condition under which a phase runs, "" if it always does."""
    parts = [f"iteration >= {phase.begin}"] if phase.begin else []
    parts += [f"iteration < {phase.end}"] if phase.end is not None else []
    if phase.every != 1:
        start = f"(iteration - {phase.begin})" if phase.begin else "iteration"
        parts.append(f"{start} % {phase.every} == 0")
    return " and ".join(parts)


def _weighted(loss: Loss) -> str:
    if len(loss.schedule) > 1:
        return f"schedule(iteration, {[tuple(pair) for pair in loss.schedule]!r}) * {loss.name}"
    weight = loss.schedule[0][1]
    return loss.name if weight == 1 else f"{format_number(weight)} * {loss.name}"
