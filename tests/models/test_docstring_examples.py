"""The examples in docstrings of the parts that train and of their layers."""

import doctest
import importlib

import pytest

MODULES = [
    *(f"discriminators.{name}" for name in ("augmentation", "conditions", "discriminator", "interfaces", "networks")),
    *("discriminators.views", "heads.heads", "pretraining.pose_lstm", "refiners.volume"),
    *(f"layers.{name}" for name in ("bounds", "checkpointing", "forms", "frozen_features", "resampling", "residual")),
    *(f"layers.{name}" for name in ("timm_backbone", "transposed_1p2d", "warping")),
    *(f"losses.{name}" for name in ("adversarial_losses", "base", "change_losses", "content_losses")),
    *(f"losses.{name}" for name in ("discriminator_losses", "feature_losses", "frame_losses", "gradient_penalties")),
    *(f"training.{name}" for name in ("autocast", "context", "image_to_video_gan", "passes", "phases")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(f"i2vkit.models.{name}")
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed
