"""Adversarial losses: from a discriminator's scores of real and generated samples to numbers to minimise."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.engine.compiling import uncompiled
from i2vkit.interfaces import Interface
from i2vkit.models.losses.base import sum_terms
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import ADVERSARIAL_LOSSES

if TYPE_CHECKING:  # the discriminators import this module through their registry
    from i2vkit.models.discriminators.discriminator import DiscriminatorInput

# From inputs to logits (N, ...); and inputs that a discriminator shall take for generated, each with its weight.
Score: TypeAlias = "Callable[[DiscriminatorInput], Tensor]"
Fakes: TypeAlias = "Sequence[tuple[DiscriminatorInput, float]]"


class AdversarialCriterion(nn.Module, Interface):
    """The two losses of the game between a discriminator and the generator. Registered in ``ADVERSARIAL_LOSSES``.

    Both methods take ``score``, a function from a ``DiscriminatorInput`` to logits (N, ...), and return a scalar.

    Attributes:
        needs_real: True if the generator's side also reads the scores of real inputs, sample by sample beside the
            generated ones. False by default.

    Examples:
        >>> from i2vkit.models.discriminators.discriminator import DiscriminatorInput
        >>> class LeastSquaresLoss(AdversarialCriterion):
        ...     def discriminator_loss(self, score, real, fakes):
        ...         total = (score(real) - 1).square().mean()
        ...         return total + sum(weight * score(fake).square().mean() for fake, weight in fakes)
        ...     def generator_loss(self, score, fake, real=None):
        ...         return (score(fake) - 1).square().mean()
        >>> zeros = DiscriminatorInput(torch.zeros(4, 1))
        >>> LeastSquaresLoss().generator_loss(lambda disc_input: disc_input.sample, zeros).item()
        1.0
    """

    needs_real: ClassVar[bool] = False  # read before a step, to know if real videos are needed

    @abstractmethod
    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return the loss of the discriminator, a scalar.

        Args:
            score: From an input to its logits (N, ...).
            real: The input that the discriminator shall take for real.
            fakes: The inputs that it shall take for generated, each with its weight.
        """

    @abstractmethod
    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return the loss of the generator, a scalar.

        Args:
            score: From an input to its logits (N, ...).
            fake: The input that shows generated samples.
            real: Real samples to compare with, (N, ...) as ``fake``; given where the criterion has ``needs_real``.
        """


@ADVERSARIAL_LOSSES.register_module()
class NonSaturatingLoss(AdversarialCriterion):
    """Cross-entropy on logits; the generator minimises -log D(fake).

    Source: Goodfellow et al., 2014; DTGAN, eq. 3 and 4.

    Examples:
        >>> from i2vkit.models.discriminators.discriminator import DiscriminatorInput
        >>> undecided = DiscriminatorInput(torch.zeros(2, 1))
        >>> loss = NonSaturatingLoss().generator_loss(lambda disc_input: disc_input.sample, undecided)
        >>> round(loss.item(), 4)  # log 2
        0.6931
    """

    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return -E[log D(real)] minus the sum of w E[log(1 - D(fake))] over ``fakes``, each with its weight w."""
        total = functional.softplus(-score(real)).mean()
        for fake, weight in fakes:
            total = total + weight * functional.softplus(score(fake)).mean()
        return total

    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return -E[log D(fake)]."""
        return functional.softplus(-score(fake)).mean()


@ADVERSARIAL_LOSSES.register_module()
class WassersteinLoss(AdversarialCriterion):
    """The Wasserstein loss with gradient penalty.

    The penalty takes the gradient of each sample's score over every axis but the batch, at points between real and
    generated samples. Condition maps are interpolated too. It is computed in full precision.

    Ours:
        the norm of the gradient has 1e-12 under its root

    Source: Gulrajani et al., 2017; FRGAN, eq. 8 and 9.

    Args:
        gradient_penalty: The weight of the penalty, lambda in the papers.
    """

    def __init__(self, gradient_penalty: float = 10.0):
        super().__init__()
        self.gradient_penalty = gradient_penalty

    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return E[D(fake)] - E[D(real)] + penalty, the terms of each fake times its weight."""
        total = -score(real).mean()
        for fake, weight in fakes:
            total = total + weight * (score(fake).mean() + self.gradient_penalty * self._penalty(score, real, fake))
        return total

    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return -E[D(fake)]."""
        return -score(fake).mean()

    @staticmethod
    def _penalty(score: Score, real: "DiscriminatorInput", fake: "DiscriminatorInput") -> Tensor:
        """Return E[(|dD/dx| - 1)^2] at random points between real and generated samples."""
        with autocast(real.sample.device, enabled=False):
            # One point a sample: (N, 1, ..., 1), as many axes as the sample has.
            mix = torch.rand(len(real.sample), *[1] * (real.sample.dim() - 1), device=real.sample.device)
            maps = None
            if real.maps is not None:
                assert fake.maps is not None, "real and generated samples have the same condition"
                maps = mix * real.maps + (1 - mix) * fake.maps
            between = type(real)(
                sample=mix * real.sample.float() + (1 - mix) * fake.sample.float(),  # (N, ...), the same shape as both
                label=real.label,
                maps=maps,
            )
            # (N,) -> ()
            # The root of 0 has no gradient.
            return ((squared_gradient_norms(score, between) + 1e-12).sqrt() - 1).square().mean()


@ADVERSARIAL_LOSSES.register_module()
class HingeLoss(AdversarialCriterion):
    """The hinge loss: logits of real samples above 1 and of generated ones below -1 cost the discriminator nothing.

    Source: Lim and Ye, "Geometric GAN" (2017); the loss of Projected GANs (Sauer et al., 2021).
    """

    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return E[max(0, 1 - D(real))] plus the sum of w E[max(0, 1 + D(fake))] over ``fakes``, w their weights."""
        total = functional.relu(1 - score(real)).mean()
        for fake, weight in fakes:
            total = total + weight * functional.relu(1 + score(fake)).mean()
        return total

    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return -E[D(fake)]."""
        return -score(fake).mean()


@ADVERSARIAL_LOSSES.register_module()
class LeastSquaresLoss(AdversarialCriterion):
    """The least-squares loss: scores of real samples shall be 1, of generated ones 0.

    Source: Mao et al., "Least squares generative adversarial networks" (2017); Monkey-Net.

    Examples:
        >>> from i2vkit.models.discriminators.discriminator import DiscriminatorInput
        >>> halves = DiscriminatorInput(torch.full((2, 1), 0.5))
        >>> LeastSquaresLoss().generator_loss(lambda disc_input: disc_input.sample, halves).item()
        0.25
    """

    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return E[(1 - D(real))^2] plus the sum of w E[D(fake)^2] over ``fakes``, each with its weight w."""
        total = (1 - score(real)).square().mean()
        for fake, weight in fakes:
            total = total + weight * score(fake).square().mean()
        return total

    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return E[(1 - D(fake))^2]."""
        return (1 - score(fake)).square().mean()


@ADVERSARIAL_LOSSES.register_module()
class RelativisticLoss(AdversarialCriterion):
    """Cross-entropy on the difference between the logits of a real and a generated sample (RpGAN).

    The papers pair any real sample with any generated one. Here every generated sample meets the real one of its own
    clip, which shares its condition and its place. The further negatives of a discriminator (a wrong label or image)
    meet the same real sample. Combine it with ``GradientPenaltyLoss`` on real and on generated samples for R3GAN.

    Source: Jolicoeur-Martineau, "The relativistic discriminator" (2018), as used by Huang et al., "The GAN is dead;
    long live the GAN!" (2024).
    """

    needs_real = True

    def discriminator_loss(self, score: Score, real: "DiscriminatorInput", fakes: Fakes) -> Tensor:
        """Return the sum of w E[log(1 + exp(D(fake) - D(real)))] over ``fakes``, each with its weight w."""
        right = score(real)  # (N, ...), scored once for all fakes
        return sum_terms(weight * functional.softplus(score(fake) - right).mean() for fake, weight in fakes)

    def generator_loss(
        self, score: Score, fake: "DiscriminatorInput", real: "DiscriminatorInput | None" = None
    ) -> Tensor:
        """Return E[log(1 + exp(D(real) - D(fake)))]."""
        assert real is not None, "needs_real has the generator's side called with a real input"
        return functional.softplus(score(real) - score(fake)).mean()


def squared_gradient_norms(score: Score, disc_input: "DiscriminatorInput") -> Tensor:
    """Return the squared norm (N,) of the gradient of each sample's score, in fp32.

    The gradient is that by the sample and its condition maps. Where a sample has several logits, their mean is its
    score. The result can be differentiated again, for the discriminator. Nothing flows back into the input.

    Args:
        score: From an input to its logits (N, ...).
        disc_input: The samples, with their conditions.

    Examples:
        >>> from i2vkit.models.discriminators.discriminator import DiscriminatorInput
        >>> score = lambda disc_input: 3 * disc_input.sample
        >>> squared_gradient_norms(score, DiscriminatorInput(torch.zeros(2, 1))).tolist()
        [9.0, 9.0]
    """
    with autocast(disc_input.sample.device, enabled=False), uncompiled():
        sample = disc_input.sample.detach().float().requires_grad_()  # a leaf of its own graph
        maps = None if disc_input.maps is None else disc_input.maps.detach().float().requires_grad_()
        scores = score(replace(disc_input, sample=sample, maps=maps))  # (N, ...)
        inputs = [sample] if maps is None else [sample, maps]
        # The scores of samples are independent, so the gradient of their sum holds each one's: (N, K) -> (N,) -> ().
        total = scores.reshape(len(sample), -1).mean(dim=1).sum()
        gradients = torch.autograd.grad(total, inputs, create_graph=True)  # with a graph, as the penalty is minimised
        return sum_terms(gradient.flatten(1).square().sum(dim=1) for gradient in gradients)  # (N, ...) -> (N,)
