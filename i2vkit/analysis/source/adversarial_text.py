"""Writes the views of discriminators, and the two sides of the adversarial game, as plain PyTorch."""

from __future__ import annotations

from typing import Any

from i2vkit.analysis.source.lines import Lines
from i2vkit.analysis.source.text import format_number
from i2vkit.errors import ConfigError
from i2vkit.models.discriminators import views
from i2vkit.models.discriminators.discriminator import Discriminator
from i2vkit.models.losses import (
    AdversarialLoss,
    CategoryLoss,
    DiscriminatorCategoryLoss,
    DiscriminatorLoss,
    NonSaturatingLoss,
    WassersteinLoss,
)
from i2vkit.models.losses.adversarial_losses import HingeLoss
from i2vkit.models.training.image_to_video_gan import ImageToVideoGan


class SampleText(Lines):
    """The text of samples of videos and of their conditions.

    Args:
        model: The model.
    """

    def __init__(self, model: ImageToVideoGan):
        super().__init__(model)
        self._reencoded: set[str] = set()  # passes whose videos the step has encoded again

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
            video = self._real(name) if real else f"{name}.video{end}"
            return self._gather(view, video, index)
        field = "trajectory[:, -1]" if self.model.generator.encoded.trajectory else "code"
        entry = self.model.passes[name]
        if real and not (entry.target == "driving" and entry.motion == "driving"):
            raise ConfigError("the motion of a real video that no pass encodes is not written as source")
        if real:
            return f"{name}.encoded.{field}{end}"
        return f"{self._reencode(name)}.{field}{end}"

    def _reencode(self, name: str) -> str:
        """Return the name of the motion that is read in the generated video of a pass."""
        variable = f"reencoded_{name}"
        if name not in self._reencoded:
            self._reencoded.add(name)
            self.helpers.add("replace")
            self._say(
                "# The motion that the encoder reads in the generated video, with its graph: all phases use it.", 0
            )
            self._say(f"again = replace(clip, driving={name}.video)", 0)
            self._say(f"{variable} = self.generator.motion_encoder(again, state)", 0)
        return variable

    def _condition(
        self, disc: Discriminator, view: Any, video: str, image: str, index: str, wrong: bool = False
    ) -> str:
        """Write the condition, and return it as a further argument of the network, "" if there is none.

        Args:
            disc: The discriminator.
            view: Its view.
            video: Text of the video.
            image: Text of the image that it is shown beside.
            index: Name of the indices of the samples.
            wrong: True for a condition that is not that of the video.
        """
        if disc.condition is None:
            return ""
        name = ("wrong_" if wrong else "") + ("label" if disc.condition == "label" else "maps")
        if disc.condition == "label":
            self.helpers.add("functional")
            label = f"{self._use('wrong_labels')}(clip.label, {disc.num_labels})" if wrong else "clip.label"
            label = self._for_samples(label, view, video, "")
            self._say(f"{name} = functional.one_hot({label}, {disc.num_labels})", 0)
            return f", {name}"
        if disc.condition == "maps":
            self._say(f"{name} = {self._gather(view, 'clip.driving_maps', index)}", 0)
        elif disc.condition != "image":
            raise ConfigError(f"the condition '{disc.condition}' is not written as source")
        elif view.sample_type == "clip":
            frames = getattr(view, "length", None) or f"{video}.shape[2]"
            self._say(f"{name} = {image}[:, :, None].expand(-1, -1, {frames}, -1, -1)", 0)
        else:
            self._say(f"{name} = {self._for_samples(image, view, video, ', dim=0')}", 0)
        return f", maps={name}"

    @staticmethod
    def _for_samples(values: str, view: Any, video: str, axis: str) -> str:
        """Return the text of values of clips for each of their samples."""
        if isinstance(view, views.AllFrames):
            return f"{values}.repeat_interleave({video}.shape[2]{axis})"
        if isinstance(view, views.RandomFrames) and view.number != 1:
            return f"{values}.repeat_interleave({view.number}{axis})"
        return values

    def _mean(self, name: str, terms: list[str]) -> None:
        if len(terms) > 1:
            self._say(f"{name} = ({' + '.join(terms)}) / {len(terms)}", 0)
        self._log(name)

    def _log(self, name: str) -> None:
        self._say(f'losses["{name}"] = {name}.detach()', 0)


class AdversarialText(SampleText):
    """The text of the losses that read a discriminator."""

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
            variable = loss.name if len(loss.passes) == 1 else f"of_{name}"
            real = self._real(name)
            image = f"{name}.content.image"
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
            fake_condition = condition
            if fake_index != "index" and disc.condition == "maps":
                self._say(f"other_maps = {self._gather(view, 'clip.driving_maps', fake_index)}", 0)
                fake_condition = ", maps=other_maps"
            scored = [("fake", fake_condition, share)]
            if loss.wrong_label:
                wrong = self._condition(disc, view, real, image, "index", wrong=True)
                scored.append(("real", wrong, loss.wrong_label))
            if loss.wrong_image:
                other = "clip.driving[:, :, 0]" if self.model.passes[name].content == "image" else "clip.image"
                wrong = self._condition(disc, view, real, other, "index", wrong=True)
                scored.append(("real", wrong, loss.wrong_image))
            right = "real"
            if loss.real_static:
                static = f"{image}[:, :, None].expand(-1, -1, {real}.shape[2], -1, -1)"
                self._say("# The image itself, repeated over time, in place of the real video.", 0)
                self._say(f"static = {static}", 0)
                if (shown := self._gather(view, "static", "index")) != "static":
                    self._say(f"static = {shown}", 0)
                right = "static"
            indent = self._cached(disc)
            self._terms(disc, network, variable, f"{right}{condition}", right, scored, indent)
            terms.append(variable)
        self._mean(loss.name, terms)

    def _terms(
        self, disc: Discriminator, network: str, variable: str, right: str, real: str, scored: list, indent: int
    ) -> None:
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
                both = f"{network}({fake}{condition}).mean() + {penalty}"
                self._say(f"{variable} += {weight}({both})" if weight else f"{variable} += {both}", indent)
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
            variable = loss.name if len(loss.passes) == 1 else f"of_{name}"
            video = f"{name}.video"
            index = self._index(view, video)
            if index:
                self._say(f"index = {index}", 0)
            fake = self._samples(view, name, False, "index", detach=False)
            condition = self._condition(disc, view, video, f"{name}.content.image", "index")
            self._say(f"fake = {fake}", 0)
            indent = self._cached(disc)
            call = f"{network}(fake{condition})"
            softplus = isinstance(disc.adversarial, NonSaturatingLoss)
            value = f"functional.softplus(-{call}).mean()" if softplus else f"-{call}.mean()"
            if softplus:
                self._use("functional")
            self._say(f"{variable} = {value}", indent)
            terms.append(variable)
        self._mean(loss.name, terms)

    def category_loss(self, loss: Any) -> None:
        """Write the cross-entropy of the classes of real and generated samples, or of generated ones alone."""
        disc, view, network = self._open(loss)
        self._use("functional")
        both = isinstance(loss, DiscriminatorCategoryLoss)
        shown = [False] if not both else [True, False] if loss.generated else [True]  # True for real videos
        terms = []
        for name in loss.passes:
            parts = []
            for real in shown:
                video = self._real(name) if real else f"{name}.video"
                if index := self._index(view, video):
                    self._say(f"index = {index}", 0)
                samples = self._samples(view, name, real, "index", detach=both)
                which = "real" if real else "fake"
                condition = self._condition(disc, view, video, f"{name}.content.image", "index")
                self._say(f"of_{which} = {network}.classify({samples}{condition})", 0)
                label = self._for_samples("clip.label", view, video, "")
                parts.append(f"functional.cross_entropy(of_{which}, {label})")
            variable = loss.name if len(loss.passes) == 1 else f"of_{name}"
            self._say(f"{variable} = {' + '.join(parts)}", 0)
            terms.append(variable)
        self._mean(loss.name, terms)
