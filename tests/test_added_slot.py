"""A slot that a project outside the package adds: a motion smoother in front of the decoder."""

import sys

import narrow
import pytest
import torch

from i2vkit.analysis.parts.partners import partners, planned
from i2vkit.analysis.parts.registered import find, kinds, spec_of
from i2vkit.cli import parts as parts_command
from i2vkit.cli.common import parser
from i2vkit.config.loading import load_config
from i2vkit.config.swaps import built_on
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS, add_slot, added_slots, motion_steps, remove_slot
from i2vkit.models import Generator
from i2vkit.models.interfaces import MotionGenerator
from i2vkit.registry import DECODERS, MODELS, ROLES, add_role, arguments_of, remove_role

PROJECT = '''
"""A slot of our own: what smooths a motion."""

from dataclasses import replace

import torch
from torch import nn

from i2vkit.generator_slots import add_slot
from i2vkit.models.interfaces import Part
from i2vkit.registry import add_role


class MotionSmoother(Part):
    """Base class of the parts of this slot."""

    provided_side = "motion"

    def forward(self, motion, state):
        """Return the motion, smoothed."""
        raise NotImplementedError


SMOOTHERS = add_role("motion smoother", MotionSmoother)
add_slot("motion_smoother", SMOOTHERS)


@SMOOTHERS.register_module()
class Follow(MotionSmoother):
    """Each step follows the one before by a share that is learned (ours)."""

    requires = provides = ("motion.trajectory",)
    supports_chunks = True

    def __init__(self, motion, share: float = 0.5):
        super().__init__()
        self.share = nn.Parameter(torch.tensor(share))
        self.spec = motion

    def forward(self, motion, state):
        last = state.recurrent.get(self, motion.trajectory[:, 0])
        steps = []
        for step in motion.trajectory.unbind(dim=1):
            last = last + self.share * (step - last)
            steps.append(last)
        state.recurrent[self] = last
        return replace(motion, trajectory=torch.stack(steps, dim=1))
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the project and a config; all of it is forgotten afterwards."""
    (tmp_path / "smoothing.py").write_text(PROJECT)
    (tmp_path / "smooth.py").write_text(
        "from mmengine.config import read_base\n"
        "with read_base():\n    from i2vkit.configs.mocogan_weizmann import *\n"
        "from smoothing import Follow\n"
        "model['generator']['motion_smoother'] = dict(type=Follow, share=0.25)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    if "motion_smoother" in GENERATOR_SLOTS:
        remove_slot("motion_smoother")
        remove_role("motion smoother")
    sys.modules.pop("smoothing", None)


def test_it_is_built_called_and_trained(project):
    cfg = load_config(project / "smooth.py")
    assert list(motion_steps()) == ["motion_generator", "motion_smoother"] and added_slots() == ["motion_smoother"]
    generator = {**cfg.model.generator, "content_encoder": narrow.NARROW["ConvPyramidEncoder"]}
    generator |= dict(motion_generator=narrow.NARROW["NoiseGru"], decoder=narrow.NARROW["FrameDecoder"])
    passes = dict(reconstruct=dict(motion="prior"))
    phases = dict(generator=dict(updates=["generator"], losses=dict(frame_l1=dict(type="FrameL1Loss"))))
    model = narrow.build(generator=generator, passes=passes, phases=phases, discriminators={}, frozen=[])
    smoother = model.get_part("generator.motion_smoother")
    assert smoother.share.item() == 0.25
    model.train_step(narrow.batch(), narrow.optimizers(model))
    assert smoother.share.item() != 0.25
    # It is called between the motion generator and the decoder.
    with torch.no_grad():
        smoother.share.fill_(0.0)
    clip = model.data_preprocessor(narrow.batch(), training=True)["clip"]
    steps = model.eval().generator(clip, model.passes)["reconstruct"].motion.trajectory
    assert torch.equal(steps, steps[:, :1].expand_as(steps)) and steps.abs().max() > 0
    # In chunks it goes on.
    with torch.no_grad():
        smoother.share.fill_(0.25)
    whole = next(model.generate_chunks([clip], [1, 2], motion="prior")).video
    pieces = [clip.slice_frames(start, start + 2) for start in range(0, 6, 2)]
    chunked = torch.cat([made.video for made in model.generate_chunks(pieces, [1, 2], motion="prior")], dim=2)
    torch.testing.assert_close(chunked, whole, atol=1e-5, rtol=0)


def test_an_adapter_stands_in_front_of_it_and_it_is_left_out_where_nobody_reads_it(project):
    load_config(project / "smooth.py")
    own = dict(
        image_size=narrow.SIZE, content_encoder=narrow.NARROW["ConvPyramidEncoder"], head=dict(type="DirectHead")
    )
    model = Generator(
        motion_encoder=narrow.NARROW["Conv3dEncoder"],
        motion_smoother=dict(type="Follow"),
        decoder=narrow.NARROW["FrameDecoder"],
        **own,
    )
    assert [type(adapter).__name__ for adapter in model.motion_smoother_adapters] == ["CodeToTrajectory"]
    assert not model.decoder_adapters
    still = Generator(motion_smoother=dict(type="Follow"), decoder=narrow.NARROW["TwoStreamDecoder"], **own)
    assert still.motion_smoother is None


def test_configs_options_swaps_and_lists_know_it(project, monkeypatch, capsys):
    cfg = load_config(project / "smooth.py", {"model.generator.motion_smoother.share": 0.75})
    assert cfg.model.generator.motion_smoother.share == 0.75
    swapped = load_config(project / "smooth.py", {"model.generator.motion_smoother.type": "smoothing.Follow"})
    assert swapped.model.generator.motion_smoother == dict(type="smoothing.Follow", share=0.25)
    assert "motion_smoother" in arguments_of(Generator)
    assert built_on("generator.motion_smoother") == ("motion_encoder", "motion_generator")
    assert "motion_smoother" in built_on("generator.decoder")
    # The list of parts.
    assert list(planned().values())[-2:] == ["motion_smoother", "decoder"]
    assert list(kinds()["motion smoother"]) == ["Follow"]
    kind, part = find("Follow")
    assert kind == "motion smoother" and spec_of(part) == "requires motion.trajectory; provides motion.trajectory"
    found = {partner.name: partner for partner in partners("motion smoother", "Follow")}
    assert found["UNetDecoder"].refusal == found["NoiseGru"].refusal == ""
    assert found["LstmUnroll"].adapters == () and found["LabelFusion"].adapters == ("CodeToTrajectory",)
    assert found["TwoStreamDecoder"].refusal == "nothing reads both"
    command = parser("parts")
    parts_command.add_arguments(command)
    parts_command.run(command.parse_args(["motion_smoothers"]))
    assert "Follow" in capsys.readouterr().out


def test_what_is_misused_is_refused(project):
    load_config(project / "smooth.py")
    with pytest.raises(ConfigError, match=r"motion_smother.*motion_smoother"):
        load_config(project / "smooth.py", {"model.generator.motion_smother.share": 1.0})
    own = dict(image_size=narrow.SIZE, decoder=narrow.NARROW["UNetDecoder"], head=dict(type="DirectHead"))
    with pytest.raises(ConfigError, match="this place needs: motion smoother"):
        Generator(motion_smoother=dict(type="UNetDecoder"), motion_encoder=narrow.NARROW["CnnLstmEncoder"], **own)
    with pytest.raises(ConfigError, match=r"Follow needs motion.trajectory, but motion_encoder=None and motion_gen"):
        Generator(motion_smoother=dict(type="Follow"), **own)
    with pytest.raises(ConfigError, match="a generator has no slot 'motion_smother'; nearest: motion_smoother"):
        Generator(motion_smother=dict(type="Follow"), **own)
    with pytest.raises(ConfigError, match="takes no argument 'motion_smother'"):
        narrow.build(generator=dict(motion_smother=dict(type="Follow")))
    smoothers = ROLES["motion smoother"]
    for name in ("motion_smoother", "decoder", "passes", "two words"):
        with pytest.raises(ConfigError, match="a slot cannot be called"):
            add_slot(name, smoothers)
    with pytest.raises(ConfigError, match="cannot stand behind 'decoder': a slot is added between"):
        add_slot("late", smoothers, after="decoder")
    with pytest.raises(ConfigError, match="needs a registry of its own"):
        add_slot("free", MODELS)
    with pytest.raises(ConfigError, match="there is a role 'decoder' already"):
        add_role("decoder", MotionGenerator)
    with pytest.raises(ConfigError, match="slot 'decoder' was not added; those that were: motion_smoother"):
        remove_slot("decoder")


def test_the_table_is_as_before_once_a_slot_is_gone():
    before = dict(GENERATOR_SLOTS)
    add_slot("early", add_role("early change", MotionGenerator), after="motion_encoder")
    assert list(motion_steps()) == ["early", "motion_generator"]
    assert GENERATOR_SLOTS["motion_generator"].built_on == ("motion_encoder", "early")
    remove_slot("early")
    remove_role("early change")
    assert before == GENERATOR_SLOTS and list(before) == list(GENERATOR_SLOTS)
    assert "DECODERS" not in ROLES and DECODERS.name in ROLES
