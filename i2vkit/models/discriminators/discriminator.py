"""A discriminator: its network, its view, its condition and its adversarial loss."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.conditions import CONDITIONS, find_condition
from i2vkit.models.discriminators.views import ConditionedVideo, View
from i2vkit.models.layers.checkpointing import checkpointed
from i2vkit.models.training.micro_batches import loss_in_micro_batches
from i2vkit.registry import ADVERSARIAL_LOSSES, AUGMENTATIONS, DISCRIMINATORS, MODELS, VIEWS, build_part
from i2vkit.structures import Spec


@dataclass(frozen=True)
class DiscriminatorInput:
    """What a discriminator is shown at once: ``sample`` (N, ...), and per sample one-hot ``label`` (N, L) or
    ``maps``.
    """

    sample: Tensor
    label: Tensor | None = None
    maps: Tensor | None = None

    def detach(self) -> "DiscriminatorInput":
        """The same, cut off from the graph of the sample."""
        return replace(self, sample=self.sample.detach())


class CachingScorer:
    """Scores inputs of a discriminator; inputs of one sample with several labels share what does not depend on the
    label.
    """

    def __init__(self, discriminator: "Discriminator"):
        self._discriminator = discriminator
        self._cache: list[tuple[DiscriminatorInput, Any]] = []

    def __call__(self, disc_input: DiscriminatorInput) -> Tensor:
        """Logits (N, ...)."""
        discriminator = self._discriminator
        if discriminator.checkpointing or not hasattr(discriminator.network, "shared_features"):
            return discriminator(disc_input.sample, disc_input.label, disc_input.maps)
        for seen, shared in self._cache:
            if seen.sample is disc_input.sample and seen.maps is disc_input.maps:
                return discriminator.call_network("score", shared, disc_input.label)
        shared = discriminator.call_network("shared_features", disc_input.sample, disc_input.maps)
        self._cache.append((disc_input, shared))
        return discriminator.call_network("score", shared, disc_input.label)


@MODELS.register_module()
class Discriminator(nn.Module):
    """Judges real against generated videos.

    ``condition`` is None, "label", "image" (the content image) or "maps" (condition maps of the seen frames), or one
    that a project has added (``conditions.py``). With
    ``classify`` it says the class of what it sees too (auxiliary classifier, Odena et al., 2017). ``augment`` is an
    augmentation of all frames or clips that it sees, real and generated (``DiffAugment``). With ``micro_batch`` its
    adversarial losses are computed from so many samples at a time, each with its gradients: the same losses and
    gradients up to rounding, without computing anything twice, in the memory that so many samples take. A network with
    batch norm, in which samples depend on each other, takes ``checkpointing`` in its place: of every input the maps are
    computed again in the backward pass instead of being kept, and inputs share nothing.

    Raises:
        ConfigError: if network and view do not fit, the condition is not to be had, vectors are to be augmented, a
            network with batch norm is to judge micro-batches, or one with spectral norm, whose weights would be others
            in the backward pass, to compute its maps again.
    """

    def __init__(
        self,
        network: dict,
        view: dict,
        adversarial: dict,
        image_size: int,
        motion: Spec,
        condition: str | None = None,
        classify: bool = False,
        num_labels: int = 0,
        map_channels: int = 0,
        augment: dict | None = None,
        micro_batch: int | None = None,
        checkpointing: bool = False,
    ):
        super().__init__()
        self.view = build_part(VIEWS, view)
        self.adversarial = build_part(ADVERSARIAL_LOSSES, adversarial)
        self.augment = build_part(AUGMENTATIONS, augment)
        self.condition, self.num_labels = condition, num_labels
        self.reference = False
        self._compiled: dict[str, Callable] = {}
        told, size = find_condition(condition, num_labels, map_channels)
        enters = None if told is None else told.enters
        if classify and not num_labels:
            raise ConfigError("a discriminator is to classify, and this model has no labels")
        self.classifies = classify
        self.network = build_part(
            DISCRIMINATORS,
            network,
            in_channels=self.view.channels(motion),
            image_size=image_size,
            label_size=size if enters == "label" else 0,
            map_channels=size if enters == "maps" else 0,
            num_classes=num_labels if classify else 0,
        )
        if classify and not hasattr(self.network, "classify"):
            raise ConfigError(f"{type(self.network).__name__} has no class logits: take another network")
        self.check_view(self.view)
        if self.augment is not None and self.network.sample_type == "vector":
            raise ConfigError(
                f"{type(self.augment).__name__} augments frames and clips, but {type(self.network).__name__} judges "
                f"vectors: leave augment out"
            )
        self.micro_batch, self.checkpointing = micro_batch, checkpointing
        self._check_memory()

    def _check_memory(self) -> None:
        name, layers = type(self.network).__name__, list(self.network.modules())
        if self.micro_batch is not None and self.micro_batch < 1:
            raise ConfigError(f"the micro_batch of a discriminator is a number of samples, not {self.micro_batch}")
        if self.micro_batch is not None and any(isinstance(layer, _BatchNorm) for layer in layers):
            raise ConfigError(
                f"{name} has batch norm, so that a sample's score depends on the others of its batch: take "
                f'checkpointing=True in place of micro_batch, or norm=None or "spectral"'
            )
        if self.checkpointing and any(parametrize.is_parametrized(layer) for layer in layers):
            raise ConfigError(
                f"{name} has spectral norm, whose weights change between forward and backward pass: take micro_batch "
                f"in place of checkpointing"
            )

    def check_view(self, view: View) -> View:
        """``view``, if it shows what the network judges.

        Raises:
            ConfigError: if it does not.
        """
        if self.network.sample_type != view.sample_type:
            raise ConfigError(
                f"{type(self.network).__name__} judges {self.network.sample_type}, but {type(view).__name__} shows "
                f"{view.sample_type}: change one of the two"
            )
        min_frames, shown = getattr(self.network, "min_frames", 1), getattr(view, "length", None)
        if view.sample_type == "clip" and shown is not None and shown < min_frames:
            raise ConfigError(
                f"{type(self.network).__name__} needs clips of {min_frames} frames or more, but {type(view).__name__} "
                f"shows {shown}: change one of the two"
            )
        return view

    def sample_augmentation(self, conditioned: ConditionedVideo) -> Tensor | None:
        """The random numbers of one augmentation, a row a clip, for inputs from videos that belong together.

        None where nothing is augmented.
        """
        return (
            None
            if self.augment is None
            else self.augment.sample_parameters(len(conditioned.video), conditioned.video.device)
        )

    def prepare_input(
        self, conditioned: ConditionedVideo, view: View, index: Tensor | None, augmentation: Tensor | None = None
    ) -> DiscriminatorInput:
        """What this discriminator sees of ``conditioned`` through ``view``.

        Args:
            conditioned: real or generated.
            view: the discriminator's own, or one that a loss has in its place.
            index: of what is seen, drawn by ``view.sample_indices``.
            augmentation: drawn by ``sample_augmentation``; by default drawn anew.
        """
        disc_input = self._unaugmented_input(conditioned, view, index)
        if self.augment is None:
            return disc_input
        drawn = self.sample_augmentation(conditioned) if augmentation is None else augmentation
        parameters = drawn[view.clip_index(conditioned, index)]
        maps = None if disc_input.maps is None else self.augment.transform_maps(disc_input.maps, parameters)
        return replace(disc_input, sample=self.augment(disc_input.sample, parameters), maps=maps)

    def _unaugmented_input(self, conditioned: ConditionedVideo, view: View, index: Tensor | None) -> DiscriminatorInput:
        sample = view.extract(conditioned, index)
        if self.condition is None:
            return DiscriminatorInput(sample)
        told = CONDITIONS[self.condition]
        return DiscriminatorInput(sample, **{told.enters: told.shown(self, conditioned, view, index, sample)})

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Logits (N, ...)."""
        return self._computed(self.network, sample, label, maps)

    @contextmanager
    def scoring(self) -> Iterator[Callable[[DiscriminatorInput], Tensor]]:
        """Inside, a function that scores inputs, and computes once what they share: the weights under spectral norm,
        one power iteration for all (Miyato et al., 2018), and what the network makes of a sample before a label joins.
        With ``reference = True`` nothing is shared.
        """
        if self.reference:
            yield lambda disc_input: self(disc_input.sample, disc_input.label, disc_input.maps)
        else:
            with parametrize.cached():
                yield CachingScorer(self)

    def discriminator_loss(self, real: DiscriminatorInput, fakes: Sequence[tuple[DiscriminatorInput, float]]) -> Tensor:
        """What the discriminator minimises: its adversarial loss of a ``real`` input and weighted ``fakes``."""
        disc_inputs, weights = [disc_input for disc_input, _ in fakes], [weight for _, weight in fakes]

        def term(real: DiscriminatorInput, *disc_inputs: DiscriminatorInput) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.discriminator_loss(score, real, list(zip(disc_inputs, weights, strict=True)))

        return self._in_micro_batches(term, real, *disc_inputs)

    def generator_loss(self, fake: DiscriminatorInput, real: DiscriminatorInput | None = None) -> Tensor:
        """What the generator minimises: its adversarial loss of an input from its video, and from a real one to
        compare.
        """

        def term(*disc_inputs: DiscriminatorInput) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.generator_loss(score, *disc_inputs)

        return self._in_micro_batches(term, *([fake] if real is None else [fake, real]))

    def _in_micro_batches(self, term: Callable[..., Tensor], *disc_inputs: DiscriminatorInput) -> Tensor:
        if self.micro_batch is None:
            return term(*disc_inputs)
        with self.scoring():  # the weights under spectral norm serve all micro-batches
            return loss_in_micro_batches(term, disc_inputs, self.micro_batch, self.parameters())

    def classify(self, disc_input: DiscriminatorInput) -> Tensor:
        """Class logits (N, num_labels)."""
        return self._computed(
            partial(self.call_network, "classify"), disc_input.sample, disc_input.label, disc_input.maps
        )

    def _computed(self, function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        return checkpointed(function, *inputs, norms=self.network) if self.checkpointing else function(*inputs)

    def compile(self, **options: Any) -> None:
        """Compile what a step calls of the network: its forward pass and the methods that take its place.

        Args:
            options: Of ``torch.compile``.
        """
        self.network.compile(**options)
        # Of the class and not of the object, or a copy of this discriminator would go on with the original's weights.
        kind = type(self.network)
        names = [name for name in ("shared_features", "score", "classify") if hasattr(kind, name)]
        self._compiled = {name: torch.compile(getattr(kind, name), **options) for name in names}

    def call_network(self, method: str, *inputs: Any) -> Any:
        """Call a method of the network, compiled if ``compile`` was called."""
        if method in self._compiled:
            return self._compiled[method](self.network, *inputs)
        return getattr(self.network, method)(*inputs)


def wrong_labels(label: Tensor, num_labels: int) -> Tensor:
    """For every label (B,) another one, drawn evenly.

    >>> bool((wrong_labels(torch.tensor([0, 1, 2]), 3) != torch.tensor([0, 1, 2])).all())
    True
    """
    offset = torch.randint(1, num_labels, label.shape, device=label.device)
    return (label + offset) % num_labels
