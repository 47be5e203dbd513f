"""The conditions of discriminators: the table, and one that is added from outside."""

import narrow
import pytest
import torch

from i2vkit.errors import ConfigError
from i2vkit.models.discriminators.conditions import CONDITIONS, Condition, add_condition, find_condition
from i2vkit.models.discriminators.views import ConditionedVideo
from i2vkit.models.losses import AdversarialLoss, DiscriminatorLoss
from i2vkit.structures import Spec


@pytest.fixture
def reversed_image():
    """A condition that shows the image upside down."""

    def shown(discriminator, conditioned, view, index, sample):
        return conditioned.image[view.clip_index(conditioned, index)].flip(2)

    add_condition("reversed", Condition("maps", lambda labels, maps: 3, shown))
    yield
    CONDITIONS.pop("reversed")


def test_sizes_follow_from_what_the_model_has():
    assert find_condition(None, 3, 2) == (None, 0)
    assert [find_condition(name, 3, 2)[1] for name in ("label", "image", "maps")] == [3, 3, 2]
    assert find_condition("points", 3, 2, Spec(points=7))[1] == 7
    with pytest.raises(ConfigError, match='conditioned on "maps", which this model does not have'):
        find_condition("maps", 3, 0)
    with pytest.raises(
        ConfigError, match='is None, "label", "image", "maps", "points", not \'labels\'; nearest: label'
    ):
        find_condition("labels", 3, 2)


def test_a_condition_from_outside_is_shown_and_trains(reversed_image):
    losses = dict(frame_discriminator=dict(type=DiscriminatorLoss, discriminator="frame"))
    adversarial = dict(frame_adversarial=dict(type=AdversarialLoss, discriminator="frame"))
    model = narrow.build(
        discriminators=dict(frame=narrow.discriminator(condition="reversed")),
        phases=dict(
            discriminators=dict(updates=["discriminators.frame"], losses=losses),
            generator=dict(updates=["generator"], losses=adversarial),
        ),
    )
    batch = narrow.batch()
    log = model.train_step(batch, narrow.optimizers(model))
    assert all(torch.isfinite(value) for value in log.values())
    image = torch.rand(2, 3, narrow.SIZE, narrow.SIZE)
    discriminator = model.discriminators["frame"]
    conditioned = ConditionedVideo(torch.rand(2, 3, 4, narrow.SIZE, narrow.SIZE), None, lambda: None, image)
    seen = discriminator.prepare_input(conditioned, discriminator.view, None)
    assert torch.equal(seen.maps, image.flip(2).repeat_interleave(4, dim=0)) and seen.label is None


def test_conditions_that_make_no_sense(reversed_image):
    with pytest.raises(ConfigError, match="there is a condition 'reversed' already"):
        add_condition("reversed", CONDITIONS["image"])
    with pytest.raises(ConfigError, match="condition 'loud' enters as \"label\" or \"maps\", not 'sound'"):
        add_condition("loud", Condition("sound", lambda labels, maps: 1, CONDITIONS["image"].shown))
