"""What is ours in the parts stands in the headers of the configs that name them."""

import pytest

from i2vkit.analysis.departures import (
    HEADING,
    bases,
    departures_in,
    header_list,
    stated_departures,
    with_departures,
)
from i2vkit.conditions import FaceMaps
from i2vkit.config.finding import CONFIG_FOLDER
from i2vkit.errors import ConfigError
from i2vkit.evaluation.metrics import ContentDistance
from i2vkit.models.decoders import FrameDecoder
from i2vkit.models.discriminators import VideoDiscriminator


@pytest.mark.parametrize("path", bases(), ids=lambda path: path.stem)
def test_the_header_lists_what_is_ours_in_the_parts(path):
    """python tools/parts.py --ours write"""
    text = path.read_text(encoding="utf-8")
    assert with_departures(text, departures_in(path)) == text


def test_items_of_other_arguments_are_left_out():
    assert len(stated_departures(FrameDecoder)) == 2
    assert stated_departures(FrameDecoder, {"normalize_motion": False, "normalize_content": False}) == []
    assert stated_departures(FrameDecoder, {"skips": True})[-1].startswith("the maps of the content image")
    assert stated_departures(VideoDiscriminator) == []
    [spectral] = stated_departures(VideoDiscriminator, {"norm": "spectral"})
    assert spectral.startswith("spectral norm starts from 15 power iterations")
    assert any("3DDFA" in item for item in stated_departures(FaceMaps))
    assert stated_departures(ContentDistance, {"embedder": {"type": "Mine"}}) == []


def test_the_review_of_silent_departures_is_told():
    told = "\n".join(
        item
        for name in (
            "models/dual_mtgan",
            "models/dtgan",
            "models/frgan_refine",
            "models/imaginator",
            "datasets/mug_maps",
        )
        for item in [*departures_in(CONFIG_FOLDER / "_base_" / f"{name}.py")]
    )
    for words in (
        "LstmUnroll: the motion code is scaled",
        "FrameDecoder: the content code is scaled",
        "the log-variance starts at -4",
        "one mask for a clip",
        "ResidualVideoDiscriminator: its structure",
        "fitted to landmarks by least squares",
        "spectral norm starts",
    ):
        assert words in told


def test_a_list_is_written_once_replaced_and_removed():
    text = '"""A config.\n\nIts story.\n"""\n\nx = 1\n'
    written = with_departures(text, ["Part: one thing"])
    assert written == f'"""A config.\n\nIts story.\n\n{HEADING}\n\n- Part: one thing\n"""\n\nx = 1\n'
    assert with_departures(written, ["Part: another thing"]) == written.replace("one thing", "another thing")
    assert with_departures(written, []) == text and with_departures(text, []) == text
    assert header_list([]) == "" and max(map(len, header_list(["Part: " + "word " * 60]).splitlines())) <= 120
    with pytest.raises(ConfigError, match="does not begin with a docstring"):
        with_departures("x = 1\n", ["Part: one thing"])


def test_a_condition_names_an_argument():
    class Part:
        """A part.

        Ours:
            when colour="red": it is red
            everything else
        """

        def __init__(self, shape: str = "round"):
            self.shape = shape

    with pytest.raises(ConfigError, match="Part has no argument colour"):
        stated_departures(Part)
