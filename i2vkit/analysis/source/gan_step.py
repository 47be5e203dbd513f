"""The generator's forward pass and the training step of a GAN as plain PyTorch."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer

from i2vkit.analysis.source.text import HELPERS, format_number
from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import views
from i2vkit.models.discriminators.discriminator import Discriminator
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
    NonSaturatingLoss,
    WassersteinLoss,
)
from i2vkit.models.losses.adversarial_losses import HingeLoss
from i2vkit.models.losses.base import Loss
from i2vkit.models.part_calls import adapters_of, flag
from i2vkit.models.training.image_to_video_gan import ImageToVideoGan
from i2vkit.models.training.passes import Pass
from i2vkit.models.training.phases import Phase


class GanText:
    """The text of a GAN: its generator's ``forward`` and its training step.

    Args:
        model: The model.
        optimizers: The optimiser of every phase.

    Attributes:
        helpers: Names of the functions of ``HELPERS`` that the text uses.
        notes: Sentences about what the file leaves out.

    Raises:
        ConfigError: The model does something that is not written as source.
    """

    def __init__(self, model: ImageToVideoGan, optimizers: dict[str, Optimizer]):
        self.model, self.optimizers = model, optimizers
        self.helpers: set[str] = set()
        self.notes: list[str] = []
        generator = model.generator
        if generator.feeds_back:
            raise ConfigError("a model that works step by step is not written as source")
        if model.decoded_frames is not None:
            raise ConfigError("a training that decodes some frames is not written as source: set decoded_frames=None")
        self._lines: list[str] = []
        self._depth = 8
        self._reencoded: set[str] = set()  # passes whose videos the step has encoded again
        self._updated = False  # True behind a phase of the generator

    # The generator

    def generator_lines(self) -> list[str]:
        """Return ``forward`` of the generator: every pass, each encoder once for each input."""
        self._lines, self._depth = [], 4
        generator = self.model.generator
        self._say("def forward(self, clip: VideoBatch) -> dict[str, Generated]:", 0)
        self._say('"""Return the videos of all passes, with what they were made from."""', 4)
        self._say("state = RandomState(len(clip.driving), clip.driving.device)", 4)
        self._say("made = {}", 4)
        known: dict[tuple, str] = {}
        for name, entry in self.model.passes.items():
            self._say(f'# Pass "{name}": {describe_pass(entry)}.', 4)
            content = self._content(entry, known)
            encodes = entry.motion == "driving" and generator.motion_encoder is not None
            motion = self._motion(name, entry, content, known) if encodes else self._drawn(name)
            self._render(name, content, motion)
        self._say("return made", 4)
        return self._lines

    def _content(self, entry: Pass, known: dict[tuple, str]) -> str:
        generator = self.model.generator
        per_frame = entry.content_per_frame and generator.content_per_frame and generator.content_encoder is not None
        key = ("content", entry.content, per_frame)
        if key in known:
            return known[key]
        variable = known[key] = f"content_of_{'frames' if per_frame else entry.content}"
        image = "clip.driving[:, :, 0]" if entry.content == "driving" else "clip.image"
        if generator.content_encoder is None:
            self._say(f"{variable} = Content(image={image})  # the decoder reads the image itself", 4)
        elif per_frame:
            self._say("# (B, C, T, H, W) -> (B T, C, H, W): a code (B, T, D) of every frame, and the first frame's maps", 4)
            self._say('every = self.content_encoder(rearrange(clip.driving, "b c t h w -> (b t) c h w"))', 4)
            self._adapt("every", generator.content_adapters, "content_adapters", "None")
            self._say("batch = len(clip.driving)", 4)
            self._say(f"{variable} = Content(", 4)
            self._say("image=clip.driving[:, :, 0],", 8)
            self._say('pyramid=tuple(rearrange(level, "(b t) c h w -> b t c h w", b=batch)[:, 0] for level in every.pyramid),', 8)
            self._say('code=rearrange(every.code, "(b t) d -> b t d", b=batch),', 8)
            self._say(")", 4)
            self.helpers.add("rearrange")
        else:
            self._say(f"{variable} = self.content_encoder({image})", 4)
            self._adapt(variable, generator.content_adapters, "content_adapters", "None")
        return variable

    def _adapt(self, variable: str, adapters: Any, attribute: str, state: str) -> None:
        for number in range(len(adapters)):
            self._say(f"{variable} = self.{attribute}[{number}]({variable}, {state})", 4)

    def _motion(self, name: str, entry: Pass, content: str, known: dict[tuple, str]) -> str:
        encoder: Any = self.model.generator.motion_encoder
        reads = encoder.reads_content()
        key = ("motion", content if reads else "")
        if key not in known:
            known[key] = "encoded" if not reads else f"encoded_for_{content}"
            third = f", {content}" if reads else ""
            self._say(f"{known[key]} = self.motion_encoder(clip, state{third})", 4)
            self._complete(known[key])
        return known[key]

    def _complete(self, variable: str) -> None:
        generator = self.model.generator
        if generator.refiner is not None and self.model.map_channels:
            self._say(f"{variable} = replace({variable}, driving_maps=clip.driving_maps)", 4)
            self.helpers.add("replace")
        if generator.num_labels and generator.reads_label:
            self._say(f"label = functional.one_hot(clip.label, {generator.num_labels}).to(clip.driving.dtype)", 4)
            self._say(f"{variable} = replace({variable}, condition=label)", 4)
            self.helpers |= {"replace", "functional"}

    def _drawn(self, name: str) -> str:
        generator = self.model.generator
        variable = f"drawn_for_{name}"
        code = f", code=state.normal({generator.encoded.code})" if generator.draws_code else ""
        if generator.draws_code and generator.encoded.code_per_step:
            raise ConfigError("a code for each step is not written as source")
        self._say(f"{variable} = Motion(length=clip.driving.shape[2]{code})", 4)
        self._complete(variable)
        return variable

    def _render(self, name: str, content: str, motion: str) -> None:
        generator = self.model.generator
        current = motion
        for adapters, slot in generator._steps:
            built, part = getattr(generator, adapters), getattr(generator, slot)
            if len(built) or part is not None:
                self._say(f"motion = {current}" if len(built) else "", 4)
                self._adapt("motion", built, adapters, "state")
                current = "motion" if len(built) else current
            if part is not None:
                if part.reads_content() and not (flag(part, "code_per_frame") or flag(part, "reads_past")):
                    third = f", {content}"
                else:
                    third = f", {content}" if part.reads_content() else ""
                self._say(f"motion = self.{slot}({current}, state{third})", 4)
                current = "motion"
        if len(generator.decoder_adapters):
            self._say(f"motion = {current}", 4)
            self._adapt("motion", generator.decoder_adapters, "decoder_adapters", "state")
            current = "motion"
        self._say(f"features, base = self.decoder({content}, {current}, state)", 4)
        self._say("shown = self.head(features, base)", 4)
        if generator.refiner is not None:
            maps = f"{current}.driving_maps" if self.model.map_channels else "None"
            self._say('# The head turns the features of the refiner into a video too, over the coarse one.', 4)
            self._say(f'coarse = shown["video"]', 4)
            self._say(f"shown = self.head(self.refiner(coarse, {maps}), coarse)", 4)
        mask = ', mask=shown["mask"]' if generator.makes_mask else ""
        self._say(f'made["{name}"] = Generated(shown["video"], {content}, {motion}{mask})', 4)

    # The training step

    def step_lines(self) -> list[str]:
        """Return ``train_step``: all phases of a step, in their order."""
        self._lines, self._depth = [], 4
        self._say("def train_step(self, clip: VideoBatch, iteration: int = 0) -> dict[str, Tensor]:", 0)
        self._say('"""Take one training step on a batch, and return all losses without their weights."""', 4)
        self._say("made = self.generator(clip)  # once for all phases", 4)
        self._say("losses = {}", 4)
        for phase in self.model.phases:
            self._phase(phase)
        self._say("return losses", 4)
        return self._lines

    def _phase(self, phase: Phase) -> None:
        if phase.repeat != 1:
            raise ConfigError(f"phase '{phase.name}' repeats, which is not written as source: set repeat=1")
        losses = [loss for loss in phase.losses if not (len(loss.schedule) == 1 and loss.schedule[0][1] == 0)]
        generator = any(path.split(".")[0] == "generator" for path in phase.updates)
        self._say("", 0)
        self._say(f"# Phase \"{phase.name}\" updates {', '.join(phase.updates)}.", 4)
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
            self._reencoded.clear()
        for loss in losses:
            self._loss(loss)
        terms = " + ".join(_weighted(loss) for loss in losses)
        self._say(f"total = {terms}", 0)
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

    def _say(self, text: str, indent: int) -> None:
        """Add a line. A long comment becomes several lines."""
        pad = " " * (self._depth + indent)
        if text.startswith("# "):
            self._lines += [f"{pad}# {line}" for line in textwrap.wrap(text[2:], 118 - len(pad))]
        elif text or not indent:
            self._lines.append((pad + text).rstrip())

    def _use(self, helper: str) -> str:
        self.helpers.add(helper)
        return helper

    # What discriminators see

    def _real(self, name: str) -> str:
        return "clip.image_video" if self.model.passes[name].target == "image_video" else "clip.driving"

    def _index(self, view: Any, video: str) -> str | None:
        """Return the text that draws the indices of the samples."""
        if isinstance(view, views.RandomFrames):
            return f"{self._use('draw_frames')}({video}, {view.number})"
        if isinstance(view, views.RandomWindow):
            return f"{self._use('draw_window')}({video}, {view.length})"
        if isinstance(view, views.AllFrames | views.WholeClip | views.LastDynamics):
            return None
        raise ConfigError(f"the view {type(view).__name__} is not written as source")

    def _gather(self, view: Any, video: str, index: str) -> str:
        """Return the text of the samples of a video or of maps."""
        if isinstance(view, views.RandomFrames):
            return f"{self._use('frames_at')}({video}, {index})"
        if isinstance(view, views.RandomWindow):
            return f"{self._use('windows_at')}({video}, {index})"
        if isinstance(view, views.AllFrames):
            return f"{self._use('all_frames')}({video})"
        return video

    def _samples(self, view: Any, name: str, real: bool, index: str, detach: bool = True) -> str:
        """Return the text of the samples of the real or the generated video of a pass."""
        end = ".detach()" if detach else ""
        if not isinstance(view, views.LastDynamics):
            video = self._real(name) if real else f'made["{name}"].video{end}'
            return self._gather(view, video, index)
        field = "trajectory[:, -1]" if self.model.generator.encoded.trajectory else "code"
        entry = self.model.passes[name]
        if real and not (entry.target == "driving" and entry.motion == "driving"):
            raise ConfigError("the motion of a real video that no pass encodes is not written as source")
        if real:
            return f'made["{name}"].encoded.{field}{end}'
        return f"{self._reencode(name)}.{field}{end}"

    def _reencode(self, name: str) -> str:
        """Return the name of the motion that is read in the generated video of a pass."""
        variable = f"reencoded_{name}"
        if name not in self._reencoded:
            self._reencoded.add(name)
            self.helpers.add("replace")
            self._say(f"# The motion that the encoder reads in the generated video, with its graph: all phases use it.", 0)
            self._say(f'again = replace(clip, driving=made["{name}"].video)', 0)
            state = "RandomState(len(clip.driving), clip.driving.device)"
            self._say(f"{variable} = self.generator.motion_encoder(again, {state})", 0)
        return variable

    def _condition(self, disc: Discriminator, view: Any, video: str, image: str, index: str, label: str = "clip.label") -> str:
        """Return the text of the condition as a further argument of the network, "" if there is none."""
        if disc.condition is None:
            return ""
        if disc.condition == "label":
            self.helpers.add("functional")
            if isinstance(view, views.AllFrames):
                label = f"{label}.repeat_interleave({video}.shape[2])"
            elif isinstance(view, views.RandomFrames) and view.number != 1:
                label = f"{label}.repeat_interleave({view.number})"
            return f", functional.one_hot({label}, {disc.num_labels})"
        if disc.condition == "maps":
            return f", maps={self._gather(view, 'clip.driving_maps', index)}"
        if disc.condition != "image":
            raise ConfigError(f"the condition '{disc.condition}' is not written as source")
        if view.sample_type == "clip":
            frames = getattr(view, "length", None) or f"{video}.shape[2]"
            return f", maps={image}[:, :, None].expand(-1, -1, {frames}, -1, -1)"
        if isinstance(view, views.AllFrames):
            return f", maps={image}.repeat_interleave({video}.shape[2], dim=0)"
        return f", maps={image}" + ("" if view.number == 1 else f".repeat_interleave({view.number}, dim=0)")

    # Losses

    def _open(self, loss: Any) -> tuple[Discriminator, Any, str]:
        disc = loss.discriminator_of(self.model)
        if disc.augment is not None:
            raise ConfigError(f"{type(disc.augment).__name__} is not written as source: set augment=None")
        if not isinstance(disc.adversarial, NonSaturatingLoss | WassersteinLoss | HingeLoss):
            raise ConfigError(f"{type(disc.adversarial).__name__} is not written as source")
        if disc.condition == "label" and isinstance(disc.adversarial, WassersteinLoss):
            raise ConfigError("a gradient penalty with labels is not written as source")
        generator = isinstance(loss, AdversarialLoss | CategoryLoss)
        what = "The generator against discriminator" if generator else "Real against generated samples of discriminator"
        self._say(f'# {what} "{loss.discriminator}".', 0)
        self._say(f'critic = self.discriminators["{loss.discriminator}"]', 0)
        return disc, loss.view or disc.view, "critic"

    def _cached(self, disc: Discriminator) -> int:
        """Open the context in which spectral norm takes one power iteration for all inputs; return its indent."""
        spectral = any(hasattr(module, "parametrizations") for module in disc.network.modules())
        if spectral:
            self._use("parametrize")
            self._say("with parametrize.cached():  # one power iteration of spectral norm for all inputs", 0)
        return 4 if spectral else 0

    def discriminator_loss(self, loss: DiscriminatorLoss) -> None:
        """Write real against generated samples, and samples with a wrong condition."""
        disc, view, network = self._open(loss)
        terms = []
        for name in loss.passes:
            suffix = "" if len(loss.passes) == 1 else f"_{name}"
            real = self._real(name)
            image = f'made["{name}"].content.image'
            index = self._index(view, real)
            if index:
                self._say(f"index = {index}", 0)
            fake_index = "index"
            if index and not loss.same_indices:
                self._say(f"other_index = {index}", 0)
                fake_index = "other_index"
            fake = self._samples(view, name, False, fake_index)
            self._say(f"fake = {fake}", 0)
            self._say(f"real = {self._samples(view, name, True, 'index')}", 0)
            share = 1.0 - loss.wrong_label - loss.wrong_image
            condition = self._condition(disc, view, real, image, "index")
            fake_condition = self._condition(disc, view, real, image, fake_index)
            scored = [("fake", fake_condition, share)]
            if loss.wrong_label:
                self._use("wrong_labels")
                self._say(f"wrong = wrong_labels(clip.label, {disc.num_labels})", 0)
                scored.append(("real", self._condition(disc, view, real, image, "index", "wrong"), loss.wrong_label))
            if loss.wrong_image:
                other = "clip.driving[:, :, 0]" if self.model.passes[name].content == "image" else "clip.image"
                scored.append(("real", self._condition(disc, view, real, other, "index"), loss.wrong_image))
            right = "real"
            if loss.real_static:
                static = f"{image}[:, :, None].expand(-1, -1, {real}.shape[2], -1, -1)"
                self._say(f"static = {self._gather(view, static, 'index')}", 0)
                right = "static"
            variable = f"{loss.name}{suffix}"
            indent = self._cached(disc)
            self._terms(disc, network, variable, f"{right}{condition}", right, scored, indent)
            terms.append(variable)
        self._mean(loss.name, terms)

    def _terms(self, disc: Discriminator, network: str, variable: str, right: str, real: str, scored: list, indent: int) -> None:
        criterion = disc.adversarial
        if isinstance(criterion, WassersteinLoss):
            self._say(f"{variable} = -{network}({right}).mean()", indent)
            for fake, condition, share in scored:
                weight = "" if share == 1 else f"{format_number(share)} * "
                self._use("gradient_penalty")
                maps = condition.removeprefix(", maps=") if disc.condition in ("maps", "image") else "None"
                of_real = right.partition(", maps=")[2] or "None"
                self._say(f"penalty = gradient_penalty({network}, {real}, {fake}, {of_real}, {maps})", indent)
                penalty = f"{format_number(criterion.gradient_penalty)} * penalty"
                self._say(f"{variable} += {weight}({network}({fake}{condition}).mean() + {penalty})", indent)
            return
        self._use("functional")
        hinge = isinstance(criterion, HingeLoss)
        good = f"functional.relu(1 - {network}({right}))" if hinge else f"functional.softplus(-{network}({right}))"
        self._say(f"{variable} = {good}.mean()", indent)
        for fake, condition, share in scored:
            weight = "" if share == 1 else f"{format_number(share)} * "
            call = f"{network}({fake}{condition})"
            bad = f"functional.relu(1 + {call})" if hinge else f"functional.softplus({call})"
            self._say(f"{variable} += {weight}{bad}.mean()", indent)

    def adversarial_loss(self, loss: AdversarialLoss) -> None:
        """Write the generator's side."""
        disc, view, network = self._open(loss)
        terms = []
        for name in loss.passes:
            suffix = "" if len(loss.passes) == 1 else f"_{name}"
            video = f'made["{name}"].video'
            index = self._index(view, video)
            if index:
                self._say(f"index = {index}", 0)
            fake = self._samples(view, name, False, "index", detach=False)
            condition = self._condition(disc, view, video, f'made["{name}"].content.image', "index")
            self._say(f"fake = {fake}", 0)
            indent = self._cached(disc)
            call = f"{network}(fake{condition})"
            softplus = isinstance(disc.adversarial, NonSaturatingLoss)
            value = f"functional.softplus(-{call}).mean()" if softplus else f"-{call}.mean()"
            if softplus:
                self._use("functional")
            self._say(f"{loss.name}{suffix} = {value}", indent)
            terms.append(f"{loss.name}{suffix}")
        self._mean(loss.name, terms)

    def category_loss(self, loss: Any) -> None:
        """Write the cross-entropy of the classes of real and generated samples, or of generated ones alone."""
        disc, view, network = self._open(loss)
        self._use("functional")
        both = isinstance(loss, DiscriminatorCategoryLoss)
        terms = []
        for name in loss.passes:
            parts = []
            for real in (True, False) if both else (False,):
                video = self._real(name) if real else f'made["{name}"].video'
                if index := self._index(view, video):
                    self._say(f"index = {index}", 0)
                samples = self._samples(view, name, real, "index", detach=both)
                which = "real" if real else "fake"
                condition = self._condition(disc, view, video, f'made["{name}"].content.image', "index")
                self._say(f"of_{which} = {network}.classify({samples}{condition})", 0)
                label = "clip.label"
                if isinstance(view, views.AllFrames):
                    label += f".repeat_interleave({video}.shape[2])"
                elif isinstance(view, views.RandomFrames) and view.number != 1:
                    label += f".repeat_interleave({view.number})"
                parts.append(f"functional.cross_entropy(of_{which}, {label})")
            suffix = "" if len(loss.passes) == 1 else f"_{name}"
            self._say(f"{loss.name}{suffix} = {' + '.join(parts)}", 0)
            terms.append(f"{loss.name}{suffix}")
        self._mean(loss.name, terms)

    def _mean(self, name: str, terms: list[str]) -> None:
        if len(terms) > 1:
            self._say(f"{name} = ({' + '.join(terms)}) / {len(terms)}", 0)
        self._log(name)

    def _log(self, name: str) -> None:
        self._say(f'losses["{name}"] = {name}.detach()', 0)

    def frame_l1(self, loss: FrameL1Loss) -> None:
        """Write the difference between the generated and the real video."""
        name, real = loss.pass_name, self._real(loss.pass_name)
        difference = f'(made["{name}"].video - {real}).abs()'
        if loss.motion_weight:
            self._say(f"# Pixels that change weigh more.", 0)
            self._say(f"change = ({real} - {real}[:, :, :1]).abs().amax(dim=1, keepdim=True)", 0)
            difference = f"((1 + {format_number(loss.motion_weight)} * change) * {difference})"
        self._say(f"{loss.name} = {difference}.mean()", 0)
        self._log(loss.name)

    def mask(self, loss: MaskSparsityLoss) -> None:
        """Write the mean of the mask."""
        self._say(f'{loss.name} = made["{loss.pass_name}"].mask.abs().mean()', 0)
        self._log(loss.name)

    def first_frame(self, loss: FirstFrameL1Loss) -> None:
        """Write the difference between the first frame and the image."""
        made = f'made["{loss.pass_name}"]'
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
        self._say(f'{loss.name} = (made["{loss.pass_name}"].encoded.{field} - {again}.{other}).abs().mean()', 0)
        self._log(loss.name)

    def content_invariance(self, loss: ContentInvarianceLoss) -> None:
        """Write the difference between the codes of neighbouring frames."""
        self._say(f'codes = made["{loss.pass_name}"].content.code', 0)
        value = "(codes[:, 1:] - codes[:, :-1]).abs().mean()"
        if loss.relative:
            value += " / (codes - codes.mean(dim=(0, 1))).abs().mean()"
        self._say(f"{loss.name} = {value}", 0)
        self._log(loss.name)

    def kl(self, loss: KlLoss) -> None:
        """Write the divergence of the posterior from N(0, I)."""
        if getattr(self.model.generator.motion_encoder, "prior", None) is not None and self.model.generator.encoded.code_per_step:
            raise ConfigError("a learned prior is not written as source")
        self._say(f'posterior = made["{loss.pass_name}"].encoded', 0)
        terms = "posterior.mean.square() + posterior.log_variance.exp() - 1 - posterior.log_variance"
        clamp = f".clamp(min={format_number(loss.free_nats)})" if loss.free_nats else ""
        self._say(f"{loss.name} = (0.5 * ({terms}).sum(dim=1)).mean(){clamp}", 0)
        self._log(loss.name)

    def measured(self, loss: Loss) -> None:
        """Leave out a loss that is only measured."""


_WRITERS: dict[type, Callable] = {
    DiscriminatorLoss: GanText.discriminator_loss,
    AdversarialLoss: GanText.adversarial_loss,
    DiscriminatorCategoryLoss: GanText.category_loss,
    CategoryLoss: GanText.category_loss,
    FrameL1Loss: GanText.frame_l1,
    MaskSparsityLoss: GanText.mask,
    FirstFrameL1Loss: GanText.first_frame,
    MotionCycleLoss: GanText.motion_cycle,
    ContentInvarianceLoss: GanText.content_invariance,
    ContentVarianceRatio: GanText.measured,
    KlLoss: GanText.kl,
}
assert set(HELPERS)  # the functions that the texts above call


def describe_pass(entry: Pass) -> str:
    """Return a pass in words."""
    content = "every driving frame" if entry.content_per_frame else {"driving": "the first driving frame", "image": "the image"}[entry.content]
    motion = {"driving": "the motion of the driving clip", "prior": "motion from the prior"}[entry.motion]
    target = {"driving": "the driving clip", "image_video": "the video of the image"}[entry.target]
    return f"the content of {content} and {motion}, compared with {target}"


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
