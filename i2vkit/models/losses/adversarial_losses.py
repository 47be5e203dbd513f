"""Adversarial losses: how a critic's scores of real and generated samples become numbers to minimise."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2vkit.models.autocast import autocast
from i2vkit.registry import ADVERSARIAL_LOSSES


@ADVERSARIAL_LOSSES.register_module()
class NonSaturatingLoss(nn.Module):
    """Cross-entropy on logits; the generator minimises -log D(fake) (Goodfellow et al., 2014; DTGAN, eq. 3 and 4)."""

    def critic_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """-E[log D(real)] - sum of w E[log(1 - D(fake))] over ``fakes``, pairs of a look and its weight w."""
        total = functional.softplus(-score(real)).mean()
        for fake, weight in fakes:
            total = total + weight * functional.softplus(score(fake)).mean()
        return total

    def generator_loss(self, score: Callable, fake) -> Tensor:
        """-E[log D(fake)]."""
        return functional.softplus(-score(fake)).mean()


@ADVERSARIAL_LOSSES.register_module()
class WassersteinLoss(nn.Module):
    """WGAN with gradient penalty (Gulrajani et al., 2017; FRGAN, eq. 8 and 9).

    The penalty takes each sample's gradient over every axis but the batch, at points between real and fake, condition
    maps interpolated too; it runs in full precision.
    """

    def __init__(self, gradient_penalty: float = 10.0):
        super().__init__()
        self.gradient_penalty = gradient_penalty

    def critic_loss(self, score: Callable, real, fakes: Sequence[tuple]) -> Tensor:
        """E[D(fake)] - E[D(real)] + penalty; fakes weighted."""
        total = -score(real).mean()
        for fake, weight in fakes:
            total = total + weight * (score(fake).mean() + self.gradient_penalty * self._penalty(score, real, fake))
        return total

    def generator_loss(self, score: Callable, fake) -> Tensor:
        """-E[D(fake)]."""
        return -score(fake).mean()

    @staticmethod
    def _penalty(score: Callable, real, fake) -> Tensor:
        with autocast(real.sample.device, enabled=False):
            mix = torch.rand(len(real.sample), *[1] * (real.sample.dim() - 1), device=real.sample.device)
            between = type(real)(
                sample=(mix * real.sample.float() + (1 - mix) * fake.sample.float()).requires_grad_(),
                label=real.label,
                maps=None if real.maps is None else (mix * real.maps + (1 - mix) * fake.maps).requires_grad_(),
            )
            inputs = [between.sample] if between.maps is None else [between.sample, between.maps]
            gradients = torch.autograd.grad(
                score(between).reshape(len(mix), -1).mean(dim=1).sum(), inputs, create_graph=True
            )
            squares = sum(gradient.flatten(1).square().sum(dim=1) for gradient in gradients)
            # The root of 0 has no gradient.
            return ((squares + 1e-12).sqrt() - 1).square().mean()
