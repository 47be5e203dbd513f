"""A critic: a discriminator network, what it looks at, its condition and its adversarial loss."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.networks import spread_over_time
from i2vkit.models.discriminators.views import Footage, View
from i2vkit.models.layers.checkpointing import checkpointed
from i2vkit.models.training.micro_batches import by_micro_batches
from i2vkit.registry import ADVERSARIAL_LOSSES, AUGMENTATIONS, DISCRIMINATORS, MODELS, VIEWS, build_part
from i2vkit.structures import Spec


@dataclass(frozen=True)
class Look:
    """What a critic is shown at once: ``sample`` (N, ...), and per sample one-hot ``label`` (N, L) or ``maps``."""

    sample: Tensor
    label: Tensor | None = None
    maps: Tensor | None = None

    def detach(self) -> "Look":
        """The same, cut off from the graph of the sample."""
        return replace(self, sample=self.sample.detach())


class Scorer:
    """Scores looks of a critic; looks of one sample with several labels share what does not depend on the label."""

    def __init__(self, critic: "Critic"):
        self._critic = critic
        self._begun: list[tuple[Look, Any]] = []

    def __call__(self, look: Look) -> Tensor:
        """Logits (N, ...)."""
        critic = self._critic
        if critic.checkpointing or not hasattr(critic.network, "begin"):
            return critic(look.sample, look.label, look.maps)
        for seen, begun in self._begun:
            if seen.sample is look.sample and seen.maps is look.maps:
                return critic.ask_network("score", begun, look.label)
        begun = critic.ask_network("begin", look.sample, look.maps)
        self._begun.append((look, begun))
        return critic.ask_network("score", begun, look.label)


@MODELS.register_module()
class Critic(nn.Module):
    """Judges real against generated footage.

    ``condition`` is None, "label", "image" (the content image) or "maps" (condition maps of the seen frames). With
    ``classify`` it says the class of what it sees too (auxiliary classifier, Odena et al., 2017). ``augment`` is an
    augmentation of all frames or clips that it sees, real and generated (``DiffAugment``). With ``micro_batch`` its
    adversarial losses are computed from so many samples at a time, each with its gradients: the same losses and
    gradients up to rounding, without computing anything twice, in the memory that so many samples take. A network with
    batch norm, in which samples depend on each other, takes ``checkpointing`` in its place: of every look the maps are
    computed again in the backward pass instead of being kept, and looks share nothing.

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
        widths = {None: 0, "label": num_labels, "image": 3, "maps": map_channels}
        if condition not in widths:
            raise ConfigError(f'the condition of a critic is None, "label", "image" or "maps", not {condition!r}')
        if condition and not widths[condition]:
            raise ConfigError(f'a critic is conditioned on "{condition}", which this model does not have')
        if classify and not num_labels:
            raise ConfigError("a critic is to classify, and this model has no labels")
        self.classifies = classify
        size = widths[condition]
        self.network = build_part(
            DISCRIMINATORS,
            network,
            in_channels=self.view.size(motion),
            image_size=image_size,
            label_size=size if condition == "label" else 0,
            map_channels=size if condition in ("image", "maps") else 0,
            num_classes=num_labels if classify else 0,
        )
        if classify and not hasattr(self.network, "classify"):
            raise ConfigError(f"{type(self.network).__name__} has no class logits: take another network")
        self.check_view(self.view)
        if self.augment is not None and self.network.kind == "vector":
            raise ConfigError(
                f"{type(self.augment).__name__} augments frames and clips, but {type(self.network).__name__} judges "
                f"vectors: leave augment out"
            )
        self.micro_batch, self.checkpointing = micro_batch, checkpointing
        self._check_memory()

    def _check_memory(self) -> None:
        name, layers = type(self.network).__name__, list(self.network.modules())
        if self.micro_batch is not None and self.micro_batch < 1:
            raise ConfigError(f"the micro_batch of a critic is a number of samples, not {self.micro_batch}")
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
        if self.network.kind != view.kind:
            raise ConfigError(
                f"{type(self.network).__name__} judges {self.network.kind}, but {type(view).__name__} shows "
                f"{view.kind}: change one of the two"
            )
        shortest, shown = getattr(self.network, "shortest", 1), getattr(view, "length", None)
        if view.kind == "clip" and shown is not None and shown < shortest:
            raise ConfigError(
                f"{type(self.network).__name__} needs clips of {shortest} frames or more, but {type(view).__name__} "
                f"shows {shown}: change one of the two"
            )
        return view

    def draw_augmentation(self, footage: Footage) -> Tensor | None:
        """The random numbers of one augmentation, a row a clip, for looks at footage that belongs together.

        None where nothing is augmented.
        """
        return None if self.augment is None else self.augment.draw(len(footage.video), footage.video.device)

    def look(self, footage: Footage, view: View, index: Tensor | None, augmentation: Tensor | None = None) -> Look:
        """What this critic sees of ``footage`` through ``view``.

        Args:
            footage: real or generated.
            view: the critic's own, or one that a loss has in its place.
            index: of what is seen, drawn by ``view.draw``.
            augmentation: drawn by ``draw_augmentation``; by default drawn anew.
        """
        look = self._plain_look(footage, view, index)
        if self.augment is None:
            return look
        drawn = self.draw_augmentation(footage) if augmentation is None else augmentation
        draw = drawn[view.owners(footage, index)]
        maps = None if look.maps is None else self.augment.move(look.maps, draw)
        return replace(look, sample=self.augment(look.sample, draw), maps=maps)

    def _plain_look(self, footage: Footage, view: View, index: Tensor | None) -> Look:
        sample = view.look(footage, index)
        if self.condition is None:
            return Look(sample)
        if self.condition == "maps":
            return Look(sample, maps=view.pick(footage.maps, index))
        owners = view.owners(footage, index)
        if self.condition == "label":
            return Look(sample, label=functional.one_hot(footage.label, self.num_labels)[owners])
        image = footage.image[owners]
        return Look(sample, maps=spread_over_time(image, sample.shape[2]) if view.kind == "clip" else image)

    def forward(self, sample: Tensor, label: Tensor | None = None, maps: Tensor | None = None) -> Tensor:
        """Logits (N, ...)."""
        return self._computed(self.network, sample, label, maps)

    @contextmanager
    def scoring(self) -> Iterator[Callable[[Look], Tensor]]:
        """Inside, a function that scores looks, and computes once what they share: the weights under spectral norm, one
        power iteration for all (Miyato et al., 2018), and what the network makes of a sample before a label joins.
        With ``reference = True`` nothing is shared.
        """
        if self.reference:
            yield lambda look: self(look.sample, look.label, look.maps)
        else:
            with parametrize.cached():
                yield Scorer(self)

    def critic_loss(self, real: Look, fakes: Sequence[tuple[Look, float]]) -> Tensor:
        """What the critic minimises: its adversarial loss of a ``real`` look and weighted ``fakes``."""
        looks, weights = [look for look, _ in fakes], [weight for _, weight in fakes]

        def term(real: Look, *looks: Look) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.critic_loss(score, real, list(zip(looks, weights, strict=True)))

        return self._by_micro_batches(term, real, *looks)

    def generator_loss(self, fake: Look, real: Look | None = None) -> Tensor:
        """What the generator minimises: its adversarial loss of a look at its video, and at a real one to compare."""

        def term(*looks: Look) -> Tensor:
            with self.scoring() as score:
                return self.adversarial.generator_loss(score, *looks)

        return self._by_micro_batches(term, *([fake] if real is None else [fake, real]))

    def _by_micro_batches(self, term: Callable[..., Tensor], *looks: Look) -> Tensor:
        if self.micro_batch is None:
            return term(*looks)
        with self.scoring():  # the weights under spectral norm serve all micro-batches
            return by_micro_batches(term, looks, self.micro_batch, self.parameters())

    def classify(self, look: Look) -> Tensor:
        """Class logits (N, num_labels)."""
        return self._computed(partial(self.ask_network, "classify"), look.sample, look.label, look.maps)

    def _computed(self, function: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        return checkpointed(function, *inputs, norms=self.network) if self.checkpointing else function(*inputs)

    def compile(self, **options: Any) -> None:
        """Compile what a step calls of the network: its forward pass and the methods that take its place.

        Args:
            options: Of ``torch.compile``.
        """
        self.network.compile(**options)
        # Of the class and not of the object, or a copy of this critic would go on with the original's weights.
        kind = type(self.network)
        names = [name for name in ("begin", "score", "classify") if hasattr(kind, name)]
        self._compiled = {name: torch.compile(getattr(kind, name), **options) for name in names}

    def ask_network(self, method: str, *inputs: Any) -> Any:
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
