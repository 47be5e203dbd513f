import sys

import pytest

from i2vkit.apis import cli
from i2vkit.errors import ConfigError, DataError


def fail():
    raise DataError("no clips in data")


def test_a_mistake_is_one_line_and_exit_code_1(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tool"])
    with pytest.raises(SystemExit) as stopped:
        cli.run_tool(fail)
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: no clips in data\n"


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tool", "--debug"])
    with pytest.raises(DataError):
        cli.run_tool(fail)


def test_interrupt_is_quiet(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tool"])

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        cli.run_tool(interrupt)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_options():
    parsed = cli.parser("A tool.", config=True).parse_args(
        ["dtgan_oulu", "--debug", "--cfg-options", "a.b=1", "c=[x,2.5]", "d=None", "e=true"]
    )
    assert parsed.config == "dtgan_oulu"
    assert parsed.debug
    assert parsed.cfg_options == {"a.b": 1, "c": ["x", 2.5], "d": None, "e": True}


def test_an_option_without_a_value_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.parser("A tool.", config=True).parse_args(["dtgan_oulu", "--cfg-options", "a.b"])
    assert stopped.value.code == 2
    assert "--cfg-options takes key=value pairs, not 'a.b'" in capsys.readouterr().err


def test_rival_distributions_are_named(monkeypatch):
    cli.check_distributions()
    monkeypatch.setattr(cli, "version", lambda name: "2.3.6")
    with pytest.raises(ConfigError, match="both 'mmengine' and 'onedl-mmengine' are installed"):
        cli.check_distributions()
