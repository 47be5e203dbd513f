"""Render a synthetic data set: `i2v synthesize oulu_casia --out data/oulu_casia`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_commands, call_with
from i2vkit.cli.declarations import declared_functions


def add_arguments(parser: ArgumentParser) -> None:
    """Add one sub-command for each data set to ``parser``."""
    functions = declared_functions("i2vkit.rendering", "SYNTHESIZERS")
    add_commands(parser, "set", functions, help="whose layout to write; SET --help shows its options")


def run(arguments: Namespace) -> None:
    """Render the data set and print a summary."""
    from i2vkit.rendering import SYNTHESIZERS

    print(call_with(SYNTHESIZERS[arguments.set], arguments))
