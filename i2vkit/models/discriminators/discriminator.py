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
from i2vkit.models.discriminators.interfaces import Augmentation
from i2vkit.models.discriminators.views import ConditionedVideo, View
from i2vkit.models.layers.checkpointing import checkpointed
from i2vkit.models.training.micro_batches import loss_in_micro_batches
from i2vkit.registry import ADVERSARIAL_LOSSES, AUGMENTATIONS, DISCRIMINATORS, MODELS, VIEWS, build_part
from i2vkit.structures import Spec


@dataclass(frozen=True)
class DiscriminatorInput:
    """The samples that a discriminator judges at once, with their conditions.

    Attributes:
        sample: (N, ...), by the sample type of the network.
        label: One-hot labels (N, L), or None.
        maps: Condition images or maps (N, M, [T,] H, W), or None.
    """

    sample: Tensor
    label: Tensor | None = None
    maps: Tensor | None = None

    def detach(self) -> "DiscriminatorInput":
        """Return the same input, cut off from the graphs of sample and maps."""
        maps = None if self.maps is None else self.maps.detach()  # those of learned points have a graph
        return replace(self, sample=self.sample.detach(), maps=maps)  # a label has none


class CachingScorer:
    """A function that scores inputs of a discriminator.

    Inputs of one sample with several labels share everything that does not depend on the label.
    """

    def __init__(self, discriminator: "Discriminator"):
        self._discriminator = discriminator
        self._cache: list[tuple[DiscriminatorInput, Any]] = []

    def __call__(self, disc_input: DiscriminatorInput) -> Tensor:
        """Return logits (N, ...)."""
        discriminator = self._discriminator
        if discriminator.checkpointing or not hasattr(discriminator.network, "shared_features"):
            return discriminator(disc_input.sample, disc_input.label, disc_input.maps)
        # Few inputs are scored at a time, so a search by identity is fast enough.
        for seen, shared in self._cache:
            if seen.sample is disc_input.sample and seen.maps is disc_input.maps:
                return discriminator.call_network("score", shared, disc_input.label)
        # For this sample, and all labels that follow.
        shared = discriminator.call_network("shared_features", disc_input.sample, disc_input.maps)
        self._cache.append((disc_input, shared))  # both stay for one loss only
        return discriminator.call_network("score", shared, disc_input.label)


@MODELS.register_module()
class Discriminator(nn.Module):
    """A discriminator network with its view, its condition, its adversarial loss and its augmentation.

    Args:
        network: Config of the network, registered in ``DISCRIMINATORS``.
        view: Config of the view, registered in ``VIEWS``.
        adversarial: Config of the adversarial loss, registered in ``ADVERSARIAL_LOSSES``.
        image_size: Side of the frames, in pixels.
        motion: What the motion encoder provides; a view of the motion reads its sizes.
        condition: None, "label", "image" (the content image), "maps" (condition maps of the seen frames), "points"
            (heatmaps of the motion encoder's points), or one that a project has added (``conditions.py``).
        classify: If true, it also predicts the class of a sample (auxiliary classifier, Odena et al., 2017).
        num_labels: Number of classes of the model.
        map_channels: Number of condition maps of a frame.
        augment: Config of an augmentation of all samples, real and generated, for instance ``DiffAugment``.
        micro_batch: Number of samples from which its adversarial losses are computed at a time, each with its
            gradients. Losses and gradients are the same up to rounding, nothing is computed twice, and the memory is
            that of so many samples. None takes all samples at once.
        checkpointing: If true, maps are computed again in the backward pass instead of being kept, and inputs share
            nothing. It replaces ``micro_batch`` for networks with batch norm, in which samples depend on each other.

    Raises:
        ConfigError: If network and view do not fit, the model does not have the condition, vectors are to be augmented,
            ``micro_batch`` meets batch norm, or ``checkpointing`` meets spectral norm, whose weights would differ in
            the backward pass.

    Examples:
        >>> discriminator = Discriminator(
        ...     network=dict(type="FrameDiscriminator", widths=(4, 8)),
        ...     view=dict(type="RandomFrames", number=2),
        ...     adversarial=dict(type="NonSaturatingLoss"),
        ...     image_size=16,
        ...     motion=Spec(),
        ... )
        >>> clips = ConditionedVideo(torch.zeros(3, 3, 5, 16, 16), None, motion=None, image=torch.zeros(3, 3, 16, 16))
        >>> view = discriminator.view
        >>> seen = discriminator.prepare_input(clips, view, view.sample_indices(clips))
        >>> seen.sample.shape, discriminator(seen.sample).shape
        (torch.Size([6, 3, 16, 16]), torch.Size([6, 1]))
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
        self.view: View = build_part(VIEWS, view)
        self.adversarial = build_part(ADVERSARIAL_LOSSES, adversarial)
        self.augment: Augmentation | None = build_part(AUGMENTATIONS, augment)
        self.condition, self.num_labels = condition, num_labels
        self.reference = False  # true: nothing is shared between inputs, as tests compare it
        self._compiled: dict[str, Callable] = {}  # methods of the network's class, by name
        found, size = find_condition(condition, num_labels, map_channels, motion)
        enters = None if found is None else found.enters  # "label" or "maps"
        if classify and not num_labels:
            raise ConfigError("a discriminator has classify=True, and this model has no labels: set model.labels")
        self.classifies = classify
        self.network = build_part(
            DISCRIMINATORS,
            network,
            in_channels=self.view.channels(motion),  # 3 of frames and clips, or the size of a vector
            image_size=image_size,
            label_size=size if enters == "label" else 0,
            map_channels=size if enters == "maps" else 0,
            num_classes=num_labels if classify else 0,
        )
        if classify and not hasattr(self.network, "classify"):
            raise ConfigError(f"{type(self.network).__name__} has no class logits: take another network")
        self.check_view(self.view)  # losses may bring views of their own, which they check likewise
        if self.augment is not None and self.network.sample_type == "vector":
            raise ConfigError(
                f"{type(self.augment).__name__} augments frames and clips, but {type(self.network).__name__} judges "
                f"vectors: leave augment out"
            )
        self.micro_batch, self.checkpointing = micro_batch, checkpointing
        self._check_memory()

    def _check_memory(self) -> None:
        # Batch norm ties the samples of a batch together; a parametrisation changes weights from call to call.
        """Raise ``ConfigError`` if the network rules out ``micro_batch`` or ``checkpointing``."""
        name, layers = type(self.network).__name__, list(self.network.modules())
        if self.micro_batch is not None and self.micro_batch < 1:
            raise ConfigError(f"the micro_batch of a discriminator is a number of samples, not {self.micro_batch}")
        if self.micro_batch is not None and any(isinstance(layer, _BatchNorm) for layer in layers):
            raise ConfigError(
                f"{name} has batch norm, so that a sample's score depends on the others of its batch: take "
                f'checkpointing=True in place of micro_batch, or norm=None or "spectral"'
            )
        # Spectral norm takes a power iteration in each forward pass in training mode.
        if self.checkpointing and any(parametrize.is_parametrized(layer) for layer in layers):
            raise ConfigError(
                f"{name} has spectral norm, whose weights change between forward and backward pass: take micro_batch "
                f"in place of checkpointing"
            )

    def check_view(self, view: View) -> View:
        """Return ``view``, if it shows what the network judges.

        Raises:
            ConfigError: If it does not.
        """
        if self.network.sample_type != view.sample_type:  # frames, clips or vectors
            raise ConfigError(
                f"{type(self.network).__name__} judges {self.network.sample_type}, but {type(view).__name__} shows "
                f"{view.sample_type}: change one of the two"
            )
        # A view without a length shows clips as long as the video, which the network checks itself.
        min_frames, shown = getattr(self.network, "min_frames", 1), getattr(view, "length", None)
        if view.sample_type == "clip" and shown is not None and shown < min_frames:
            raise ConfigError(
                f"{type(self.network).__name__} needs clips of {min_frames} frames or more, but {type(view).__name__} "
                f"shows {shown}: change one of the two"
            )
        return view

    def sample_augmentation(self, conditioned: ConditionedVideo) -> Tensor | None:
        """Return the random numbers (B, K) of one augmentation, one row for each clip.

        Inputs from videos that belong together share them. None stands for no augmentation.
        """
        if self.augment is None:
            return None
        return self.augment.sample_parameters(len(conditioned.video), conditioned.video.device)

    def prepare_input(
        self, conditioned: ConditionedVideo, view: View, index: Tensor | None, augmentation: Tensor | None = None
    ) -> DiscriminatorInput:
        """Return the input that this discriminator sees of videos through ``view``.

        Args:
            conditioned: Real or generated videos.
            view: The discriminator's own view, or one that replaces it in a loss.
            index: The indices of the samples, drawn by ``view.sample_indices``.
            augmentation: The numbers (B, K) from ``sample_augmentation``; by default new ones are drawn.
        """
        disc_input = self._unaugmented_input(conditioned, view, index)
        if self.augment is None:
            return disc_input
        drawn = self.sample_augmentation(conditioned) if augmentation is None else augmentation
        assert drawn is not None, "an augmentation draws numbers"
        parameters = drawn[view.clip_index(conditioned, index)]  # (B, K) -> (N, K)
        # Moved like the samples, but not coloured.
        maps = None if disc_input.maps is None else self.augment.transform_maps(disc_input.maps, parameters)
        return replace(disc_input, sample=self.augment(disc_input.sample, parameters), maps=maps)

    def _unaugmented_input(self, conditioned: ConditionedVideo, view: View, index: Tensor | None) -> DiscriminatorInput:
        """Return the samples and their condition before the augmentation."""
        sample = view.extract(conditioned, index)  # (N, ...)
        if self.condition is None:
            return DiscriminatorInput(sample)
        condition = CONDITIONS[self.condition]
        shown = condition.shown(self, conditioned, view, index, sample)
        return DiscriminatorInput(sample, **{condition.enters: shown})

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Return logits (N, ...)."""
        return self._computed(self.network, sample, label, maps)

    @contextmanager
    def scoring(self) -> Iterator[Callable[[DiscriminatorInput], Tensor]]:
        """Give a function that scores inputs, and computes their shared parts once.

        These are the weights under spectral norm, with one power iteration for all (Miyato et al., 2018), and the
        features of a sample before a label joins. With ``reference = True`` nothing is shared.
        """
        if self.reference:
            yield lambda disc_input: self(disc_input.sample, disc_input.label, disc_input.maps)
        else:
            with parametrize.cached():  # one power iteration for all inputs of a loss
                yield CachingScorer(self)

    def discriminator_loss(self, real: DiscriminatorInput, fakes: Sequence[tuple[DiscriminatorInput, float]]) -> Tensor:
        """Return the adversarial loss that the discriminator minimises, a scalar.

        Args:
            real: The input that it shall take for real.
            fakes: The inputs that it shall take for generated, each with its weight.
        """
        # Micro-batches cut the inputs alone, so the weights stay outside of them.
        disc_inputs, weights = [disc_input for disc_input, _ in fakes], [weight for _, weight in fakes]

        def term(real: DiscriminatorInput, *disc_inputs: DiscriminatorInput) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.discriminator_loss(score, real, list(zip(disc_inputs, weights, strict=True)))

        return self._in_micro_batches(term, real, *disc_inputs)

    def generator_loss(self, fake: DiscriminatorInput, real: DiscriminatorInput | None = None) -> Tensor:
        """Return the adversarial loss that the generator minimises, a scalar.

        Args:
            fake: An input from the generated video.
            real: An input to compare with, where the adversarial loss has ``needs_real``.
        """

        def term(*disc_inputs: DiscriminatorInput) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.generator_loss(score, *disc_inputs)

        return self._in_micro_batches(term, *([fake] if real is None else [fake, real]))

    def _in_micro_batches(self, term: Callable[..., Tensor], *disc_inputs: DiscriminatorInput) -> Tensor:
        """Return ``term(*disc_inputs)``, from ``micro_batch`` samples at a time if it is set."""
        if self.micro_batch is None:  # all samples at once
            return term(*disc_inputs)
        with self.scoring():  # all micro-batches share the weights under spectral norm
            return loss_in_micro_batches(term, disc_inputs, self.micro_batch, self.parameters())

    def classify(self, disc_input: DiscriminatorInput) -> Tensor:
        """Return class logits (N, num_labels)."""
        classify = partial(self.call_network, "classify")
        return self._computed(classify, disc_input.sample, disc_input.label, disc_input.maps)

    def block_features(self, disc_input: DiscriminatorInput) -> list[Tensor]:
        """Return the features of all blocks of the network, for networks that give them."""
        return self.call_network("block_features", disc_input.sample, disc_input.label, disc_input.maps)

    def _computed(self, function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        """Return ``function(*inputs)``, without keeping its maps if ``checkpointing`` is set."""
        return checkpointed(function, *inputs, norms=self.network) if self.checkpointing else function(*inputs)

    def compile(self, **options: Any) -> None:
        """Compile the parts of the network that a step calls: its forward pass and the methods that replace it.

        Args:
            options: Arguments of ``torch.compile``.
        """
        self.network.compile(**options)  # the forward pass, in place
        # Methods of the class, as bound ones would keep the original's weights in a copy of this discriminator.
        kind = type(self.network)
        names = [name for name in ("shared_features", "score", "classify", "block_features") if hasattr(kind, name)]
        self._compiled = {name: torch.compile(getattr(kind, name), **options) for name in names}

    def call_network(self, method: str, *inputs: Any) -> Any:
        """Call a method of the network, compiled if ``compile`` was called."""
        if method in self._compiled:  # functions of the class, which take the network first
            return self._compiled[method](self.network, *inputs)
        return getattr(self.network, method)(*inputs)


def wrong_labels(label: Tensor, num_labels: int) -> Tensor:
    """Return for every label (B,) another one, drawn evenly from the others.

    Examples:
        >>> bool((wrong_labels(torch.tensor([0, 1, 2]), 3) != torch.tensor([0, 1, 2])).all())
        True
    """
    offset = torch.randint(1, num_labels, label.shape, device=label.device)  # (B,), never 0: never the label itself
    return (label + offset) % num_labels  # (B,)
