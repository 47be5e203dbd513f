"""The command ``i2v`` and its subcommands."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

import i2vkit
from i2vkit.cli.common import parser, run_tool
from i2vkit.cli.values import check_numbers

# Each is a module of this package of the same name, with "_" in place of "-". The help lists them in this order.
COMMANDS = (
    "prepare",
    "synthesize",
    "browse",
    "train",
    "test",
    "evaluate",
    "list",
    "animate",
    "export",
    "convert",
    "zoo",
    "demo",
    "study",
    "compare",
    "table",
    "truth-benchmark",
    "truth-bounds",
    "parts",
    "print-config",
    "source",
    "flops",
    "benchmark",
    "forecast-poses",
    "probe-motion",
    "collect-env",
    "verify-gpu",
)


def main(argv: Sequence[str] | None = None, prog: str = "i2v") -> None:
    """Run ``i2v``. The first word is a subcommand, and the others are its arguments.

    Args:
        argv: The words behind the name of the program. By default those of this process.
        prog: The way in which the user calls the program, for usage and examples. Default "i2v".

    Raises:
        SystemExit: 0 after ``--help`` and ``--version``, 2 for a mistake in usage, and the codes of ``run_tool``.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    run_tool(lambda: _dispatch(words, prog), debug="--debug" in words)


def run_as_tool(command: str) -> None:
    """Run one subcommand with the arguments of this process, as ``python tools/NAME.py`` does."""
    run_tool(lambda: _run_command(command, sys.argv[1:], prog=f"python {sys.argv[0]}"))


def _dispatch(words: list[str], prog: str) -> None:
    """Run the subcommand of the first word, or answer options that come before any subcommand."""
    if words and words[0] in COMMANDS:
        _run_command(words[0], words[1:], f"{prog} {words[0]}")
        return
    options = _overview(prog)
    if words and not words[0].startswith("-"):
        near = ", ".join(get_close_matches(words[0].replace("_", "-"), COMMANDS, n=3, cutoff=0.5) or COMMANDS)
        options.error(f"there is no command '{words[0]}'; nearest: {near}")
    options.parse_args(words)


def _run_command(name: str, words: Sequence[str], prog: str) -> None:
    """Parse the arguments of one subcommand and run it."""
    command = _module(name)
    options = command_parser(name, prog)
    command.run(options.parse_args(words))


def command_parser(name: str, prog: str) -> ArgumentParser:
    """Return the parser of one subcommand, whose description is the docstring of its module.

    Args:
        name: One of ``COMMANDS``.
        prog: The way in which the user calls it. It replaces ``i2v NAME`` in the docstring's examples.
    """
    command = _module(name)
    options = parser((command.__doc__ or "").replace(f"i2v {name}", prog), prog=prog)
    command.add_arguments(options)
    check_numbers(options)
    return options


def summary_of(name: str) -> str:
    """Return one line about a subcommand: the first of its module's docstring, without the example behind a colon."""
    return (_module(name).__doc__ or "").splitlines()[0].split(": `")[0].rstrip(".")


def _overview(prog: str) -> ArgumentParser:
    """Return the parser whose help lists all subcommands with a line each."""
    options = ArgumentParser(prog=prog, description="Image-to-video generation with GANs from interchangeable parts.")
    options.epilog = f"`{prog} COMMAND --help` shows the options of a command."
    options.add_argument("--version", action="version", version=f"i2vkit {i2vkit.__version__}")
    commands = options.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        commands.add_parser(name, help=summary_of(name))
    return options


def _module(name: str) -> ModuleType:
    return import_module(f"i2vkit.cli.{name.replace('-', '_')}")
