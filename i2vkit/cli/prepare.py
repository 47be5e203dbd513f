"""Prepare a data set: `i2v prepare oulu_casia --source data/oulu_casia --out data/oulu_casia_64`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, cast

from i2vkit.cli.common import add_commands, call_with
from i2vkit.cli.declarations import declared_functions


def add_arguments(parser: ArgumentParser) -> None:
    """Add one sub-command for each data set to ``parser``."""
    functions = declared_functions("i2vkit.preparation", "PREPARERS")
    add_commands(parser, "set", functions, help="the data set; SET --help shows its options")


def run(arguments: Namespace) -> None:
    """Prepare the data set and print a summary."""
    from i2vkit.preparation import PREPARERS

    function = cast(Callable[..., Any], PREPARERS[arguments.set])  # their signatures differ
    print(call_with(function, arguments))
