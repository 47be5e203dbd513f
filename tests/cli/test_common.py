import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from i2vkit.cli import common as cli
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


def run_cut(body: str, reads: int = 1) -> tuple[int, str]:
    """Run a tool in a process of its own whose stdout is closed after a few lines: exit code and stderr."""
    script = f"from i2vkit.cli.common import parser, run_tool\ndef main():\n    {body}\nrun_tool(main)"
    command = [sys.executable, "-c", script, "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tool:
        for _ in range(reads):
            tool.stdout.readline()
        tool.stdout.close()
        return tool.wait(timeout=60), tool.stderr.read()


def test_a_tool_whose_output_is_cut_ends_quietly():
    assert run_cut("for i in range(100_000): print(i)") == (141, "")
    assert run_cut("import time; time.sleep(0.5); print('late')", reads=0) == (141, "")  # found when it is flushed
    assert run_cut("import time; time.sleep(0.5); parser('A tool.').parse_args()", reads=0)[1] == ""


def test_a_log_that_nobody_reads_does_not_end_a_tool():
    body = (
        "import logging, sys, time; time.sleep(0.5); "
        "logging.basicConfig(stream=sys.stdout); "
        "[logging.warning('x' * 100) for _ in range(1000)]; print('done', file=sys.stderr)"
    )
    assert run_cut(body, reads=0)[1] == "done\n"


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
    monkeypatch.setattr("i2vkit.utils.versions.version", lambda name: "2.3.6")
    with pytest.raises(ConfigError, match="both 'mmengine' and 'onedl-mmengine' are installed"):
        cli.check_distributions()


def render(out: Path, people: int = 3, *, size: tuple[int, int] = (320, 240), light: Literal["a", "b"] = "a") -> str:
    """Renders people.

    Longer words.

    Args:
        out: Where `to`.
        people: How many,
            in two lines; 50% of them.

    Returns:
        What there is.
    """
    return f"{out} {people} {size} {light}"


def parse(*words):
    options = cli.parser("A tool.")
    cli.add_commands(options, "set", {"faces": render}, help="what")
    arguments = options.parse_args(words)
    return cli.call_with(render, arguments)


def test_parameters_become_options(capsys):
    assert parse("faces", "--out", "a/b") == "a/b 3 (320, 240) a"
    assert parse("faces", "--out", "x", "--people", "5", "--size", "64x48", "--light", "b") == "x 5 (64, 48) b"
    with pytest.raises(SystemExit):
        parse("faces", "--help")
    help = " ".join(capsys.readouterr().out.split())
    assert "How many, in two lines; 50% of them (default: 3)" in help and "(default: 320x240)" in help
    assert "What there is" not in help


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["faces"], "--out"),
        (["faces", "--out", "x", "--size", "64"], "'64' is not width x height"),
        (["faces", "--out", "x", "--light", "c"], "invalid choice: 'c'"),
        (["figures"], "invalid choice: 'figures'"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(words, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(*words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
