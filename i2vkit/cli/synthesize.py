"""Render a synthetic data set: `i2v synthesize oulu_casia --out data/oulu_casia`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, cast

from i2vkit.cli.common import add_commands, call_with
from i2vkit.cli.declarations import declared_functions


def add_arguments(parser: ArgumentParser) -> None:
    """Add one sub-command for each data set to ``parser``."""
    functions = declared_functions("i2vkit.rendering", "SYNTHESIZERS")
    add_commands(parser, "set", functions, help="the data set whose layout is written; SET --help shows its options")


def run(arguments: Namespace) -> None:
    """Render the data set and print a summary."""
    from i2vkit.rendering import SYNTHESIZERS

    function = cast(Callable[..., Any], SYNTHESIZERS[arguments.set])  # their signatures differ
    print(call_with(function, arguments))
