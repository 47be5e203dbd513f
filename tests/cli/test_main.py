import functools
import inspect
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import i2vkit
from i2vkit.cli.main import COMMANDS, main, summary_of
from i2vkit.errors import ConfigError
from i2vkit.preparation import PREPARERS

ROOT = Path(__file__).parents[2]
DOORS = {
    path: re.search(r'run_as_tool\("(.*)"\)', path.read_text(encoding="utf-8"))[1]
    for path in sorted(ROOT.glob("tools/*.py"))
    if path.stem != "demo"
}


def stopped(words: list[str], **settings) -> int:
    """Run ``i2v`` where it is to end the program; its exit code."""
    with pytest.raises(SystemExit) as stop:
        main(words, **settings)
    return stop.value.code


def run_python(*words: str, folder: Path) -> subprocess.CompletedProcess:
    """Run Python in ``folder`` with this i2vkit on its path."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_help_lists_every_command_with_a_line(capsys):
    assert stopped(["--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: i2v [-h] [--version] COMMAND ...")
    words = " ".join(text.split())
    for name in COMMANDS:
        assert f" {name} {summary_of(name)}" in words
    assert "Train a model" in words and "Compare results" in words


def test_every_tool_is_a_door_to_one_command():
    assert sorted(DOORS.values()) == sorted(COMMANDS)


@pytest.mark.parametrize(("tool", "name"), DOORS.items(), ids=[path.stem for path in DOORS])
def test_a_tool_has_the_help_of_its_command(tool, name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "10000")  # else the longer name of the program moves the ends of lines
    assert stopped([name, "--help"]) == 0
    expected = capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [str(tool), "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(tool), run_name="__main__")
    assert stop.value.code == 0
    assert capsys.readouterr().out.replace(f"python {tool}", f"i2v {name}") == expected
    assert expected.startswith(f"usage: i2v {name} [-h] [--debug]")


def test_help_and_mistakes_do_not_wait_for_torch(tmp_path):
    calls = [[name, "--help"] for name in COMMANDS]
    calls += [["--help"], ["--version"], [], ["trian"], ["train"], ["test", "a", "b", "--seed", "x"]]
    calls += [
        ["train", "a", "--cfg-options", "b"],
        ["benchmark", "step", "--help"],
        ["truth-benchmark", "score", "--help"],
        ["study", "serve", "--help"],
    ]
    calls += [["prepare", "mug", "--help"], ["prepare", "mug"], ["prepare", "mgu"], ["synthesize", "bair", "--help"]]
    script = f"""
import sys
from i2vkit.cli.main import main
for words in {calls}:
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code in (0, 2), (words, stop.code)
    else:
        raise AssertionError(words)
print("loaded:", *sorted({{"torch", "mmengine", "numpy", "cv2", "scipy", "av", "gradio"}} & set(sys.modules)))
"""
    done = run_python("-c", script, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_it_runs_as_a_module_in_any_folder(tmp_path):
    done = run_python("-m", "i2vkit", "parts", "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: python -m i2vkit parts [-h]")
    assert "`python -m i2vkit parts decoder`" in " ".join(done.stdout.split())


def test_the_version_is_that_of_the_package(capsys):
    assert stopped(["--version"]) == 0
    assert capsys.readouterr().out == f"i2vkit {i2vkit.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["trian", "dtgan_oulu"], "there is no command 'trian'; nearest: train"),
        (["print_config"], "there is no command 'print_config'; nearest: print-config"),
        (["zzz"], f"there is no command 'zzz'; nearest: {', '.join(COMMANDS)}"),
        (["--fast"], "the following arguments are required: COMMAND"),
        (["train"], "i2v train: error: the following arguments are required: config"),
    ],
)
def test_a_mistake_in_usage_exits_with_2(words, message, capsys):
    assert stopped(words) == 2
    assert message in capsys.readouterr().err


def test_an_error_is_one_line_and_exit_code_1(capsys):
    assert stopped(["print-config", "dtgan_oul"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: there is no config 'dtgan_oul'") and error.count("\n") == 1


def test_debug_of_the_words_given_keeps_the_traceback():
    with pytest.raises(ConfigError, match="there is no config 'dtgan_oul'"):
        main(["print-config", "dtgan_oul", "--debug"])


def test_a_command_runs(capsys):
    main(["print-config", "dtgan_oulu", "--cfg-options", "train_cfg.max_iters=7"])
    lines = capsys.readouterr().out.splitlines()
    assert any(re.match(r"train_cfg\.max_iters\b.*\b7\b", line) for line in lines)


def test_options_of_a_data_set_reach_its_function(monkeypatch, capsys):
    real, calls = PREPARERS["mug"], []

    @functools.wraps(real)
    def record(*args, **settings):
        calls.append(inspect.signature(real).bind(*args, **settings).arguments)
        return "prepared"

    monkeypatch.setitem(PREPARERS, "mug", record)
    main(["prepare", "mug", "--source", "raw", "--out", "ready", "--size", "32", "--framing", "eyes", "--maps"])
    assert capsys.readouterr().out == "prepared\n"
    [given] = calls
    assert given["source"] == Path("raw") and given["out"] == Path("ready") and given["size"] == 32
    assert given["framing"] == "eyes" and given["maps"] is True and given["margin"] is None
