"""Adversarial losses: how a discriminator's scores of real and generated samples become numbers to minimise."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.engine.compiling import uncompiled
from i2vkit.interfaces import Interface
from i2vkit.models.training.autocast import autocast
from i2vkit.registry import ADVERSARIAL_LOSSES


class AdversarialCriterion(nn.Module, Interface):
    """What a discriminator and the generator each minimise, given ``score``, a function from inputs to logits (N, ...).

    With ``needs_real`` the generator's side reads the scores of real inputs too, sample by sample beside the generated.
    """

    needs_real: ClassVar[bool] = False

    @abstractmethod
    def discriminator_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """The discriminator's loss, a scalar.

        Args:
            score: from an input to its logits.
            real: the input that the discriminator shall take for real.
            fakes: pairs of an input that it shall not, and its weight.
        """

    @abstractmethod
    def generator_loss(self, score: Callable, fake, real=None) -> Tensor:
        """The generator's loss, a scalar; ``real`` is given where the criterion ``needs_real``."""


@ADVERSARIAL_LOSSES.register_module()
class NonSaturatingLoss(AdversarialCriterion):
    """Cross-entropy on logits; the generator minimises -log D(fake) (Goodfellow et al., 2014; DTGAN, eq. 3 and 4)."""

    def discriminator_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """-E[log D(real)] - sum of w E[log(1 - D(fake))] over ``fakes``, pairs of an input and its weight w."""
        total = functional.softplus(-score(real)).mean()
        for fake, weight in fakes:
            total = total + weight * functional.softplus(score(fake)).mean()
        return total

    def generator_loss(self, score: Callable, fake, real=None) -> Tensor:
        """-E[log D(fake)]."""
        return functional.softplus(-score(fake)).mean()


@ADVERSARIAL_LOSSES.register_module()
class WassersteinLoss(AdversarialCriterion):
    """WGAN with gradient penalty (Gulrajani et al., 2017; FRGAN, eq. 8 and 9).

    The penalty takes each sample's gradient over every axis but the batch, at points between real and fake, condition
    maps interpolated too; it runs in full precision.
    """

    def __init__(self, gradient_penalty: float = 10.0):
        super().__init__()
        self.gradient_penalty = gradient_penalty

    def discriminator_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """E[D(fake)] - E[D(real)] + penalty; fakes weighted."""
        total = -score(real).mean()
        for fake, weight in fakes:
            total = total + weight * (score(fake).mean() + self.gradient_penalty * self._penalty(score, real, fake))
        return total

    def generator_loss(self, score: Callable, fake, real=None) -> Tensor:
        """-E[D(fake)]."""
        return -score(fake).mean()

    @staticmethod
    def _penalty(score: Callable, real, fake) -> Tensor:
        with autocast(real.sample.device, enabled=False):
            mix = torch.rand(len(real.sample), *[1] * (real.sample.dim() - 1), device=real.sample.device)
            between = type(real)(
                sample=mix * real.sample.float() + (1 - mix) * fake.sample.float(),
                label=real.label,
                maps=None if real.maps is None else mix * real.maps + (1 - mix) * fake.maps,
            )
            # The root of 0 has no gradient.
            return ((squared_gradient_norms(score, between) + 1e-12).sqrt() - 1).square().mean()


@ADVERSARIAL_LOSSES.register_module()
class HingeLoss(AdversarialCriterion):
    """Hinge loss: logits of real samples above 1 and of generated ones below -1 cost the discriminator nothing.

    Source: Lim and Ye, "Geometric GAN" (2017); the loss of Projected GANs (Sauer et al., 2021).
    """

    def discriminator_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """E[max(0, 1 - D(real))] + sum of w E[max(0, 1 + D(fake))] over ``fakes``, each with its weight w."""
        total = functional.relu(1 - score(real)).mean()
        for fake, weight in fakes:
            total = total + weight * functional.relu(1 + score(fake)).mean()
        return total

    def generator_loss(self, score: Callable, fake, real=None) -> Tensor:
        """-E[D(fake)]."""
        return -score(fake).mean()


@ADVERSARIAL_LOSSES.register_module()
class RelativisticLoss(AdversarialCriterion):
    """Cross-entropy on the difference of the logits of a real and a generated sample (RpGAN).

    The papers pair any real with any generated sample. Here every generated sample meets the real one of its own clip,
    which shares its condition and its place; the negatives of a discriminator (a wrong label or image) meet it too.
    Pair it with ``GradientPenaltyLoss`` on real and on generated samples (R3GAN).

    Source: Jolicoeur-Martineau, "The relativistic discriminator" (2018), as used by Huang et al., "The GAN is dead;
    long live the GAN!" (2024).
    """

    needs_real = True

    def discriminator_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """Sum of w E[log(1 + exp(D(fake) - D(real)))] over ``fakes``, each with its weight w."""
        right = score(real)
        return sum(weight * functional.softplus(score(fake) - right).mean() for fake, weight in fakes)

    def generator_loss(self, score: Callable, fake, real=None) -> Tensor:
        """E[log(1 + exp(D(real) - D(fake)))]."""
        return functional.softplus(score(real) - score(fake)).mean()


def squared_gradient_norms(score: Callable, disc_input) -> Tensor:
    """The squared norm (N,) of the gradient of each sample's score, by the sample and its condition maps, in fp32.

    Of several logits of a sample their mean is the score. The result can be differentiated again, for the
    discriminator; nothing flows back into the input.
    """
    with autocast(disc_input.sample.device, enabled=False), uncompiled():
        sample = disc_input.sample.detach().float().requires_grad_()
        maps = None if disc_input.maps is None else disc_input.maps.detach().float().requires_grad_()
        scores = score(replace(disc_input, sample=sample, maps=maps))
        inputs = [sample] if maps is None else [sample, maps]
        gradients = torch.autograd.grad(scores.reshape(len(sample), -1).mean(dim=1).sum(), inputs, create_graph=True)
        return sum(gradient.flatten(1).square().sum(dim=1) for gradient in gradients)
