"""Interfaces: every registered part has one, and a part that does not fulfil its own ends in one clear error."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from i2vkit.errors import ConfigError
from i2vkit.interfaces import check_built, check_class
from i2vkit.models import Generator, discriminators, fields
from i2vkit.models.discriminators import interfaces as judges
from i2vkit.models.discriminators.views import View
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.interfaces import (
    Adapter,
    ContentEncoder,
    Decoder,
    Head,
    MotionEncoder,
    MotionGenerator,
    Part,
)
from i2vkit.models.training.passes import Pass
from i2vkit.registry import (
    ADAPTERS,
    ADVERSARIAL_LOSSES,
    DECODERS,
    DISCRIMINATORS,
    HEADS,
    LOSSES,
    MOTION_ENCODERS,
    MOTION_GENERATORS,
    ROLES,
    VIEWS,
    build_part,
    find_part,
    interface_of,
    part_names,
)
from i2vkit.structures import Content, FeatureSpec, Motion, Spec, VideoBatch

PASS, OTHER, STATE = Pass(), Pass(content="image"), GenerationState()
WITH_INTERFACE = [name for name, registry in ROLES.items() if interface_of(registry) is not None]


@pytest.fixture
def register():
    """A function that registers a class for one test."""
    done = []

    def add(registry, part):
        part_names(registry)  # imports the package's own parts first
        registry.register_module(module=part, force=True)
        done.append((registry, part.__name__))
        return part

    yield add
    for registry, name in done:
        registry.module_dict.pop(name)


class Trajectory(MotionEncoder):
    """The mean colour of every frame."""

    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self):
        super().__init__()
        self.spec = Spec(trajectory=3)

    def forward(self, clip, state):
        return Motion(clip.driving.shape[2], trajectory=clip.driving.mean(dim=(3, 4)).transpose(1, 2))


class ColourCode(ContentEncoder):
    """The mean colour of an image."""

    provides = ("content.code",)

    def __init__(self):
        super().__init__()
        self.spec = Spec(code=3)

    def forward(self, image):
        return Content(image, code=image.mean(dim=(2, 3)))


class Painter(Decoder):
    """Every pixel of a frame is the first number of its motion, so that values are easily told."""

    requires = ("motion.trajectory",)
    supports_chunks = frame_wise = True

    def __init__(self, out_channels: int):
        super().__init__()
        self.channels = out_channels
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, content, motion, state):
        steps = motion.trajectory[:, :, 0]  # (B, T)
        features = steps[:, None, :, None, None].expand(-1, self.channels, -1, *content.image.shape[2:])
        return features + self.nothing, content.image[:, :, None]


@pytest.fixture
def parts(register):
    """The three parts above, registered."""
    register(MOTION_ENCODERS, Trajectory)
    register(ROLES["content encoder"], ColourCode)
    register(DECODERS, Painter)


def generator(**changes) -> Generator:
    """A generator of those parts, with ``changes``."""
    settings = dict(decoder=dict(type="Painter"), head=dict(type="DirectHead"), motion_encoder=dict(type="Trajectory"))
    return Generator(image_size=8, **{**settings, **changes})


def test_every_role_has_an_interface_and_mmengines_roots_have_none():
    assert len(WITH_INTERFACE) == 19
    assert not {"model", "hook", "metric", "dataset", "transform"} & set(WITH_INTERFACE)


@pytest.mark.parametrize("role", WITH_INTERFACE)
def test_every_part_of_a_role_inherits_from_its_interface(role):
    registry = ROLES[role]
    assert part_names(registry)
    own = [part for part in registry.module_dict.values() if part.__module__.startswith("i2vkit.")]
    assert own
    for part in own:  # other tests register parts that do without
        assert issubclass(part, interface_of(registry)), part
        assert find_part(registry, part) is part


# Names of fields.


def test_a_misspelt_field_is_refused_where_the_class_is_defined():
    with pytest.raises(ConfigError, match=r"Fused.accepts names 'content.pyramide'.*nearest: content.pyramid"):

        class Fused(Decoder):
            accepts = ("content.pyramide",)


def test_a_name_that_is_not_in_a_tuple_is_refused():
    with pytest.raises(
        ConfigError, match=r"""One.requires is a tuple of names like \("motion.code",\), not 'motion.code'"""
    ):

        class One(Decoder):
            requires = "motion.code"


def test_an_input_that_nothing_can_give_to_a_part_of_this_kind_is_refused():
    with pytest.raises(ConfigError, match=r"Early.requires names 'motion.trajectory', which nothing can give"):

        class Early(MotionEncoder):
            requires = ("motion.trajectory",)

    with pytest.raises(ConfigError, match=r"Reader.accepts names 'motion.code'.*here nothing may stand"):

        class Reader(ContentEncoder):
            accepts = ("motion.code",)


def test_an_output_of_another_kind_is_refused():
    with pytest.raises(
        ConfigError, match=r"Mixed.provides names 'content.code', which a part of this kind does not give"
    ):

        class Mixed(MotionGenerator):
            provides = ("content.code",)

    with pytest.raises(ConfigError, match=r"Labels.provides names 'motion.condition', which the generator itself adds"):

        class Labels(MotionEncoder):
            provides = ("motion.condition",)


def test_an_adapter_names_fields_that_there_are():
    with pytest.raises(ConfigError, match=r"Odd.provides names 'motion.path', and no part hands that on"):

        class Odd(Adapter):
            side, reads, provides = "motion", "code", "path"


# Classes.


def test_an_interface_without_its_methods_is_no_part(register):
    class Silent(MotionEncoder):
        """Has no forward pass."""

    register(MOTION_ENCODERS, Silent)
    with pytest.raises(ConfigError, match=r"motion encoder 'Silent' does not define forward\(clip, state\)"):
        build_part(MOTION_ENCODERS, dict(type="Silent"))


def test_a_class_from_outside_may_do_without_the_interface_if_it_defines_all(register):
    class Outside(nn.Module):
        """A head that inherits from nothing of ours."""

        channels, reads_base = 3, False

        def forward(self, features, base):
            return dict(video=features)

    register(HEADS, Outside)
    assert type(build_part(HEADS, dict(type=Outside))) is Outside

    class Bare(nn.Module):
        """A discriminator without a sample type or forward pass."""

    register(DISCRIMINATORS, Bare)
    with pytest.raises(ConfigError, match=r"discriminator 'Bare' does not define forward\(sample, label, maps\)"):
        build_part(DISCRIMINATORS, dict(type=Bare))


def test_a_decoder_that_is_only_a_part_is_told_what_it_lacks(register):
    class Old(Part):
        """Inherits from the common base alone."""

        def forward(self, content, motion, state):
            raise AssertionError

    register(DECODERS, Old)
    with pytest.raises(ConfigError, match=r"decoder 'Old' does not define .*frame_wise.*see i2vkit.models.*Decoder"):
        find_part(DECODERS, Old)


def test_a_function_passes_and_what_it_returns_is_checked(register):
    def make_head():
        return nn.Identity()

    register(HEADS, make_head)
    assert find_part(HEADS, "make_head") is make_head
    with pytest.raises(ConfigError, match=r"head 'Identity' does not define .*channels"):
        build_part(HEADS, dict(type="make_head"))


def test_a_head_without_channels_and_with_none(register):
    class Blind(Head):
        """Does not say what it reads."""

        def forward(self, features, base):
            return dict(video=features)

    register(HEADS, Blind)
    with pytest.raises(ConfigError, match=r"head 'Blind' does not define channels"):
        build_part(HEADS, dict(type=Blind))
    Blind.channels = 0
    with pytest.raises(ConfigError, match=r"head 'Blind' has channels=0, not a number above 0"):
        build_part(HEADS, dict(type=Blind))


def test_a_network_without_a_kind_and_with_a_wrong_one(register):
    class Judge(judges.DiscriminatorNetwork):
        """Does not say what it judges."""

        def forward(self, sample, label=None, maps=None):
            return sample.mean(dim=(2, 3))

    register(DISCRIMINATORS, Judge)
    with pytest.raises(ConfigError, match=r"discriminator 'Judge' does not define sample_type"):
        build_part(DISCRIMINATORS, dict(type=Judge))
    Judge.sample_type = "video"
    with pytest.raises(
        ConfigError, match=r"discriminator 'Judge' has sample_type='video', which is one of: frames, clip"
    ):
        build_part(DISCRIMINATORS, dict(type=Judge))


def test_a_view_shows_something(register):
    class Nothing(View):
        """Shows nothing."""

    register(VIEWS, Nothing)
    with pytest.raises(ConfigError, match=r"view 'Nothing' defines neither gather\(video, index\) nor extract"):
        build_part(VIEWS, dict(type=Nothing))


def test_losses_of_both_kinds_are_checked(register):
    class Half(discriminators.interfaces.Interface):
        """Not a loss at all."""

    register(ADVERSARIAL_LOSSES, Half)
    with pytest.raises(
        ConfigError, match=r"does not define needs_real, discriminator_loss\(score, real, fakes\), generator_l"
    ):
        find_part(ADVERSARIAL_LOSSES, Half)
    empty = type("Empty", (interface_of(LOSSES),), {"__doc__": "Computes nothing."})
    register(LOSSES, empty)
    with pytest.raises(ConfigError, match=r"loss 'Empty' does not define forward\(context\)"):
        build_part(LOSSES, dict(type=empty))


def test_the_checks_by_themselves():
    check_class("head", Head, ROLES["head"].module_dict["DirectHead"])
    check_class("head", Head, lambda: None)
    with pytest.raises(ConfigError, match=r"head 'object' does not define"):
        check_built("head", Head, object())


def test_an_adapter_without_its_fields_is_refused(parts, register):
    class Loose(nn.Module):
        """Looks like an adapter and does not say what it adapts."""

        supports_chunks = True

        def forward(self, upstream, state):
            return upstream

    register(ADAPTERS, Loose)
    with pytest.raises(ConfigError, match=r"adapter 'Loose' does not define side, reads, provides"):
        generator(decoder=dict(type="TransposedConv3dDecoder"), content_encoder=dict(type="ColourCode"))


# Specs and outputs.


def test_gives_and_spec_agree(parts, register):
    class Absent(Trajectory):
        """Says that it gives a trajectory, and its spec has none."""

        def __init__(self):
            super().__init__()
            self.spec = Spec()

    register(MOTION_ENCODERS, Absent)
    with pytest.raises(ConfigError, match=r"Absent.provides names 'motion.trajectory', and its spec has trajectory=0"):
        generator(motion_encoder=dict(type=Absent))

    class Secret(Trajectory):
        """Its spec has a code that its class does not name."""

        def __init__(self):
            super().__init__()
            self.spec = Spec(trajectory=3, code=2)

    register(MOTION_ENCODERS, Secret)
    with pytest.raises(
        ConfigError, match=r"spec of Secret has code=2, and Secret.provides does not name 'motion.code'"
    ):
        generator(motion_encoder=dict(type=Secret))


def test_what_a_motion_generator_leaves_as_it_is_is_not_its_own(parts, register):
    class Doubled(MotionGenerator):
        """Twice the trajectory; the spec upstream goes through."""

        requires = provides = ("motion.trajectory",)
        supports_chunks = True

        def __init__(self, motion: Spec):
            super().__init__()
            self.spec = motion

        def forward(self, motion, state):
            return replace(motion, trajectory=2 * motion.trajectory)

    register(MOTION_GENERATORS, Doubled)
    video = torch.full((1, 3, 2, 8, 8), 0.25)
    made = generator(motion_generator=dict(type=Doubled)).eval()(VideoBatch(video), {"a": PASS})["a"]
    assert torch.allclose(made.video, torch.tanh(torch.tensor(0.5)))


def test_an_argument_may_switch_an_output_off_if_the_class_says_so():
    label_fusion = MOTION_GENERATORS.module_dict["LabelFusion"](Spec(condition=2), noise=0)
    assert fields.checked_spec(label_fusion, upstream=Spec(condition=2)).code == 0


def test_a_posterior_over_time_is_refused(parts, register):
    class OverTime(Trajectory):
        """A mean of every frame, and no code."""

        def __init__(self):
            super().__init__()
            self.spec = Spec(trajectory=3, variational=True)

    register(MOTION_ENCODERS, OverTime)
    with pytest.raises(ConfigError, match=r"the spec of OverTime is variational and has no code.*over time"):
        generator(motion_encoder=dict(type=OverTime))

    class CodeOverTime(Trajectory):
        """A code beside the trajectory, but the mean is that of the trajectory."""

        provides = ("motion.trajectory", "motion.code")

        def __init__(self):
            super().__init__()
            self.spec = Spec(trajectory=3, code=3, variational=True)

        def forward(self, clip, state):
            motion = super().forward(clip, state)
            steps = motion.trajectory
            return replace(motion, code=steps[:, 0], mean=steps, log_variance=steps)

    register(MOTION_ENCODERS, CodeOverTime)
    with pytest.raises(ConfigError, match=r"CodeOverTime returned mean of shape \(1, 2, 3\), expected \(1, 3\)"):
        generator(motion_encoder=dict(type=CodeOverTime))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda motion: None, r"Other returned a NoneType, expected a Motion"),
        (lambda motion: replace(motion, trajectory=None), r"Other returned trajectory=None, expected \(B, 2, 3\)"),
        (lambda motion: replace(motion, trajectory=motion.trajectory[:, :, :2]), r"shape \(1, 2, 2\), expected"),
        (lambda motion: replace(motion, code=torch.zeros(1, 4)), "returned a motion with code, and its spec has none"),
    ],
)
def test_a_motion_that_is_not_what_the_spec_says(parts, register, returned, message):
    class Other(Trajectory):
        """Returns something else."""

        def forward(self, clip, state):
            return returned(super().forward(clip, state))

    register(MOTION_ENCODERS, Other)
    with pytest.raises(ConfigError, match=message):
        generator(motion_encoder=dict(type=Other))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda features, base: features, r"Wrong returned one tensor \(1, 3, 2, 8, 8\), expected two tensors"),
        (lambda features, base: (features, base, base), "Wrong returned 3 values"),
        (lambda features, base: (features[:, :1], base), r"features of shape \(1, 1, 2, 8, 8\), expected \(1, 3, 2"),
        (lambda features, base: (features, base[:, :, 0]), r"base of shape \(1, 3, 8, 8\), expected"),
    ],
)
def test_a_decoder_that_returns_something_else(parts, register, returned, message):
    class Wrong(Painter):
        """Returns something else."""

        def forward(self, content, motion, state):
            return returned(*super().forward(content, motion, state))

    register(DECODERS, Wrong)
    with pytest.raises(ConfigError, match=message):
        generator(decoder=dict(type=Wrong))


def test_a_head_that_returns_something_else(parts, register):
    class Named(Head):
        """Returns a name that nothing knows."""

        channels = 3

        def forward(self, features, base):
            return dict(video=features, shadow=features)

    register(HEADS, Named)
    with pytest.raises(ConfigError, match=r"Named returned \['shadow', 'video'\], expected a dict with names"):
        generator(head=dict(type=Named))


def test_a_head_that_makes_a_grey_video(parts, register):
    class Grey(Head):
        """Returns one channel."""

        channels = 3

        def forward(self, features, base):
            return dict(video=features[:, :1])

    register(HEADS, Grey)
    expected = r"^Grey returned video of shape \(1, 1, 2, 8, 8\), expected \(1, 3, 2, 8, 8\)$"
    with pytest.raises(ConfigError, match=expected):
        generator(head=dict(type=Grey))


@pytest.mark.parametrize("around", ["", "Outer"])
def test_an_error_about_shapes_names_the_part_that_raised_it(parts, register, around):
    """The head fails, called by the generator or by a decoder; or the decoder does, behind a head that did not."""

    class Wide(Head):
        """Reads four channels, and says three."""

        channels = 3

        def forward(self, features, base):
            return dict(video=nn.functional.conv3d(features, torch.zeros(3, 4, 1, 1, 1)))

    class Outer(Painter):
        """Calls a head, then fails."""

        def __init__(self, out_channels: int, head: nn.Module):
            super().__init__(out_channels)
            self.inner = [head]  # in a list, so that it is no module of the decoder

        def forward(self, content, motion, state):
            features, base = super().forward(content, motion, state)
            self.inner[0](features, base)
            return features @ torch.zeros(5, 5), base

    register(HEADS, Wide)
    register(DECODERS, Outer)
    decoder = dict(type=around or "Painter")
    with pytest.raises(ConfigError, match=r"do not fit together, in Wide: .*channels"):
        generator(head=dict(type=Wide), decoder=decoder)
    if around:
        with pytest.raises(ConfigError, match="do not fit together, in Outer: "):
            generator(decoder=decoder)


def test_the_checks_are_gone_once_the_generator_is_built(parts):
    model = generator(content_encoder=dict(type="ColourCode"))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


# Motion parts that read content.


class Offset(MotionGenerator):
    """The trajectory plus the content code."""

    requires = ("motion.trajectory", "content.code")
    provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self, motion: Spec, content: Spec):
        super().__init__()
        assert content.code == motion.trajectory == 3
        self.spec = motion

    def forward(self, motion, state, content):
        return replace(motion, trajectory=motion.trajectory + content.code[:, None])


class FromImage(Trajectory):
    """The trajectory minus the mean colour of the image to animate."""

    accepts = ("content.image",)

    def forward(self, clip, state, content):
        motion = super().forward(clip, state)
        return replace(motion, trajectory=motion.trajectory - content.image.mean(dim=(2, 3))[:, None])


def test_a_motion_generator_reads_content(parts, register):
    register(MOTION_GENERATORS, Offset)
    model = generator(motion_generator=dict(type=Offset), content_encoder=dict(type="ColourCode")).eval()
    clip = VideoBatch(torch.full((1, 3, 2, 8, 8), 0.25), image=torch.full((1, 3, 8, 8), 0.5))
    own, other = model(clip, {"own": PASS, "other": OTHER}).values()
    assert torch.allclose(own.video, torch.tanh(torch.tensor(0.25 + 0.25)))
    assert torch.allclose(other.video, torch.tanh(torch.tensor(0.25 + 0.5)))


def test_content_that_a_motion_generator_needs_and_nothing_gives(parts, register):
    register(MOTION_GENERATORS, Offset)
    with pytest.raises(ConfigError, match=r"Offset needs content.code, but content_encoder=None"):
        generator(motion_generator=dict(type=Offset))


def test_a_motion_encoder_reads_the_image_that_its_motion_will_animate(parts, register):
    register(MOTION_ENCODERS, FromImage)
    model = generator(motion_encoder=dict(type=FromImage)).eval()
    clip = VideoBatch(torch.full((1, 3, 2, 8, 8), 0.75), image=torch.full((1, 3, 8, 8), 0.25))
    own, other = model(clip, {"own": PASS, "other": OTHER}).values()
    assert own.video.abs().max() == 0
    assert torch.allclose(other.video, torch.tanh(torch.tensor(0.75 - 0.25)))
    # Encoded by itself, the motion is relative to the clip's own first frame.
    assert model.encode_motion(clip, STATE).trajectory.abs().max() == 0


def test_an_adapter_makes_the_content_that_a_motion_generator_needs(parts, register):
    class Wide(Offset):
        """Takes a content code of any size."""

        def __init__(self, motion: Spec, content: Spec):
            MotionGenerator.__init__(self)
            self.spec = motion

        def forward(self, motion, state, content):
            return replace(motion, trajectory=motion.trajectory + content.code.mean(dim=1)[:, None, None])

    class Maps(ContentEncoder):
        """The image itself as a pyramid of one level."""

        provides = ("content.pyramid",)

        def __init__(self):
            super().__init__()
            self.spec = Spec(pyramid=(FeatureSpec(3, 1),))

        def forward(self, image):
            return Content(image, pyramid=(image,))

    register(MOTION_GENERATORS, Wide)
    register(ROLES["content encoder"], Maps)
    model = generator(motion_generator=dict(type=Wide), content_encoder=dict(type=Maps))
    assert [type(adapter).__name__ for adapter in model.content_adapters] == ["PyramidToCode"]
