"""What the list of parts says is what the assembly does."""

import re
import runpy
from pathlib import Path

import pytest

from i2vkit.analysis.parts.partners import Partner, partners
from i2vkit.analysis.parts.parts_report import format_parts, format_spec
from i2vkit.analysis.parts.registered import find, find_kind, kinds, source_of, spec_of
from i2vkit.errors import ConfigError
from i2vkit.models import decoders, discriminators, heads, losses
from i2vkit.models.adapters.adapters import CodeToTrajectory
from i2vkit.registry import DECODERS, ROLES

TOOL = Path(__file__).parents[2] / "tools/parts.py"


def partner(kind: str, name: str, other: str) -> Partner:
    return next(each for each in partners(kind, name) if each.name == other)


def test_every_registered_part_has_one_line():
    assert set(kinds()) <= set(ROLES) and kinds()["decoder"].keys() == DECODERS.module_dict.keys()
    lines = format_parts("decoder").splitlines()
    assert lines[0] == "decoder" and [line.split()[0] for line in lines[1:]] == sorted(DECODERS.module_dict)
    [line] = [line for line in lines if "FrameDecoder" in line]
    assert "Dual-MTGAN eq. 3; MoCoGAN" in line and "requires content.code, motion.trajectory;" in line
    assert f"{len(kinds()['head'])} of {len(kinds()['head'])} heads" in line


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_is_listed_with_the_spec_of_each_part(kind):
    specs = {name: spec_of(part) for name, part in kinds()[kind].items()}
    assert all(specs.values()) and all("\n" not in spec for spec in specs.values())


def test_a_source_is_what_the_docstring_names():
    assert source_of(decoders.DenseDecoder) == "FRGAN sec. 3.2, fig. 4"
    assert source_of(decoders.TransposedConv3dDecoder) == "ImaGINator tables 2 and 5"
    assert source_of(heads.ResidualHead) == "FRGAN eq. 2; VGAN"
    assert source_of(heads.DirectHead) == ""

    class Stated:
        """As in FRGAN, sec. 4.2. It is not more."""

    assert source_of(Stated) == "FRGAN sec. 4.2"


def test_specs():
    assert spec_of(decoders.UNetDecoder) == "requires motion.trajectory; accepts motion.maps"
    assert spec_of(CodeToTrajectory) == "reads motion.code; provides motion.trajectory"
    assert spec_of(discriminators.VideoDiscriminator) == "clip"
    assert spec_of(losses.WassersteinLoss) == "takes gradient_penalty"
    assert spec_of(heads.DirectHead) == "takes no arguments"


def test_partners_come_with_the_fewest_adapters():
    assert partner("decoder", "FrameDecoder", "LstmUnroll").adapters == ()
    assert partner("decoder", "FrameDecoder", "LabelFusion").adapters == ("CodeToTrajectory",)
    assert partner("motion encoder", "CnnLstmEncoder", "TransposedConv1p2dDecoder").adapters == ("TrajectoryToCode",)
    assert partner("motion generator", "LstmUnroll", "CnnLstmEncoder").adapters == ("TrajectoryToCode",)


def test_what_is_not_read_or_refused_says_so():
    """A decoder of frames before reads no content code; a label becomes motion without any encoder; a video
    discriminator judges no frames.
    """
    assert partner("decoder", "MultiScaleDecoder", "ConvPyramidEncoder").refusal == "nothing reads both"
    assert partner("motion generator", "LabelFusion", "Conv3dEncoder").refusal == "nothing reads both"
    assert (
        "judges clip, but AllFrames shows frames" in partner("discriminator", "VideoDiscriminator", "AllFrames").refusal
    )
    assert not partner("view", "WholeClip", "VideoDiscriminator").refusal
    assert not any(each.refusal for each in partners("adversarial loss", "WassersteinLoss"))


def test_going_together_goes_both_ways():
    for one in ("content encoder", "motion generator"):
        for name in kinds()[one]:
            for each in partners(one, name):
                back = partner(each.kind, each.name, name)
                assert (bool(back.refusal), back.adapters) == (bool(each.refusal), each.adapters), (name, each)


def test_refusals_of_heads_are_those_of_building(monkeypatch):
    class Grey(heads.DirectHead):
        def forward(self, features, base):
            return dict(video=features[:, :1])

    monkeypatch.setitem(kinds_of_heads(), "Grey", Grey)
    refusals = {each.name: each.refusal for each in partners("head", "Grey")}
    assert refusals.keys() == DECODERS.module_dict.keys()
    # Of any size, since MultiScaleDecoder applies the head to its coarser videos first.
    wrong = r"Grey returned video of shape \(1, 1, (\d+), (\d+), \2\), expected \(1, 3, \1, \2, \2\)"
    assert not {name: refusal for name, refusal in refusals.items() if not re.fullmatch(wrong, refusal)}
    assert not any(each.refusal for each in partners("head", "DirectHead"))


def kinds_of_heads() -> dict:
    return ROLES["head"].module_dict


def test_a_spec_is_everything_about_one_part():
    text = format_spec("TwoStreamDecoder").splitlines()
    assert text[0] == "TwoStreamDecoder: decoder, in i2vkit.models.decoders.two_stream"
    assert "  widths = (512, 256, 128, 64)" in text
    assert "  image_size (handed over by the assembly)" in text
    assert "source: VGAN; Vondrick et al. 2016" in text
    at = text.index("motion encoders")
    assert "  CnnLstmEncoder: refused: nothing reads both" in text[at:]
    assert "arguments\n  none" in format_spec("DirectHead")


def test_kinds_by_any_of_their_names():
    assert [find_kind(text) for text in ("decoder", "Decoders", "motion_encoder", "adversarial losses")] == [
        "decoder",
        "decoder",
        "motion encoder",
        "adversarial loss",
    ]
    with pytest.raises(ConfigError, match=r"no kind of part 'decodr'; nearest: .*decoder"):
        find_kind("decodr")
    with pytest.raises(ConfigError, match=r"no part is called 'FrameDecodr'; nearest: FrameDecoder"):
        find("FrameDecodr")


def run_tool(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["parts.py", *arguments])
    runpy.run_path(str(TOOL), run_name="__main__")


def test_the_tool(monkeypatch, capsys):
    run_tool(monkeypatch, "heads")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["head", *sorted(kinds_of_heads())]
    run_tool(monkeypatch, "--spec", "DirectHead")
    assert capsys.readouterr().out.startswith("DirectHead: head")
    with pytest.raises(SystemExit):
        run_tool(monkeypatch, "--import", "nowhere_to_be_found", "--spec", "DirectHead")
    assert (
        "No module named 'nowhere_to_be_found': is the folder that holds it in PYTHONPATH?" in capsys.readouterr().err
    )
