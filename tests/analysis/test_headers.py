"""Every config that trains states the memory of a step in its header, and it is what a step takes."""

import runpy
from pathlib import Path

import pytest

from i2vkit.analysis.profile import StepMemory, check_header, check_headers, stated_memory, with_memory
from i2vkit.analysis.profile.headers import stated_by, stated_for_variant, with_variant_memory
from i2vkit.config.finding import experiment_names, find_config
from i2vkit.config.loading import load_config
from i2vkit.errors import ConfigError

FITS = 60  # GiB, of the 78 that the large cards have
SOON = ("dtgan_oulu", "frgan_forecast_penn", "frgan_refine_mug", "vgan_mug")

CONFIG = '''"""My ImaGINator.

Its story.
"""

from mmengine.config import read_base

with read_base():
    from i2vkit.configs._base_.datasets.weizmann_strips import *
    from i2vkit.configs._base_.models.imaginator import *

train_dataloader["dataset"]["reader"]["labels"] = ["a", "b"]
'''


@pytest.mark.parametrize("name", experiment_names())
def test_the_header_states_a_memory_that_large_cards_have(name):
    """python tools/flops.py all --headers write"""
    if load_config(name).get("optim_wrapper"):
        stated = stated_by(name)
        assert stated is not None and stated.gib < FITS
        assert stated.precision == load_config(name).model.get("precision", "fp32")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SOON else pytest.mark.slow) for name in experiment_names()],
)
def test_the_header_is_right(name):
    """python tools/flops.py all --headers write"""
    assert check_header(name) is None


def test_a_statement_is_written_once_and_read_again():
    six, seven = StepMemory(6.04, "fp32"), StepMemory(7.0, "bf16")
    for text in (CONFIG, '"""One line."""\n\nx = 1\n', '"""No line behind it"""'):
        assert stated_memory(text) is None
        written = with_memory(text, six)
        assert stated_memory(written) == StepMemory(6.0, "fp32")
        assert written.endswith(text[text.rindex('"""') + 3 :])
        again = with_memory(written, seven)
        assert again == written.replace("6.0 GiB in fp32", "7.0 GiB in bf16")
    assert with_memory(CONFIG, six).startswith(
        '"""My ImaGINator.\n\nIts story.\n\nMemory of a training step: 6.0 GiB in fp32.\n"""\n\nfrom mmengine'
    )
    with pytest.raises(ConfigError, match="does not begin with a docstring"):
        with_memory("x = 1\n", six)


def test_what_is_stated_may_differ_by_5_percent():
    assert StepMemory(10.0, "fp32").agrees(StepMemory(10.5, "fp32"))
    assert not StepMemory(10.0, "fp32").agrees(StepMemory(10.7, "fp32"))
    assert StepMemory(0.1, "fp32").agrees(StepMemory(0.14, "fp32"))  # rounded
    assert not StepMemory(10.0, "fp32").agrees(StepMemory(10.0, "bf16"))


def test_a_header_is_checked_and_written(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.py"
    path.write_text((find_config("vgan_weizmann")).read_text().replace("._base_", "i2vkit.configs._base_"))
    path.write_text(with_memory(path.read_text(), StepMemory(3.0, "fp32")))
    with pytest.raises(ConfigError, match=r"1 headers do not agree.*mine.py --headers write"):
        check_headers([str(path)])
    assert "states 3.0 GiB in fp32, and it takes 0." in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["flops.py", str(path), "--headers", "write"])
    runpy.run_path(Path(__file__).parents[2] / "tools/flops.py", run_name="__main__")
    assert capsys.readouterr().out.strip().endswith("in fp32: written")
    assert check_header(str(path)) is None and 0.3 < stated_memory(path.read_text()).gib < 1


def test_the_memory_of_a_variant_is_checked_and_written_in_its_entry(tmp_path):
    path = tmp_path / "mine.py"
    text = find_config("vgan_weizmann").read_text().replace("._base_", "i2vkit.configs._base_")
    path.write_text(text.replace('memory="0.5 GiB in fp32"', 'memory="7.5 GiB in fp32"'))
    assert stated_for_variant(path.read_text(), "penn_strips") == StepMemory(7.5, "fp32")
    assert stated_for_variant(path.read_text(), "other") is None
    assert with_variant_memory(path.read_text(), "penn_strips", StepMemory(0.5, "fp32")) == text
    with pytest.raises(ConfigError, match=r'variant b has no place .* give it memory=""'):
        with_variant_memory('variants = {"b": dict(help="")}', "b", StepMemory(1.0, "fp32"))
    assert stated_by("vgan_penn_strips") == StepMemory(0.5, "fp32")
