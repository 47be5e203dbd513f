"""Checks of the words of a command line: numbers by the ranges of their options, and outputs that can be written.

One pass over a finished parser replaces the types of all options, so that no command can forget a check.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError, _SubParsersAction
from collections.abc import Callable
from pathlib import Path

from i2vkit.errors import ConfigError
from i2vkit.values import Range, check_output_file, check_output_folder, range_of


def check_numbers(parser: ArgumentParser) -> None:
    """Give every number option of a parser, and of its sub-commands, the range of its name.

    Raises:
        LookupError: ``RANGES`` has no range for an option. Add one there.
    """
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                check_numbers(command)
        elif action.type in (int, float):
            numbers = range_of(action.dest)
            if numbers is None:
                raise LookupError(f"RANGES has no range for the option '{action.dest}'")
            action.type = _number(action.type, numbers)


def _number(kind: Callable, numbers: Range) -> Callable:
    """Return a type of argparse: the numbers of a range."""

    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except (ValueError, OverflowError):
            value = None
        if value is None or not numbers.holds(value):
            raise ArgumentTypeError(f"'{text}' is not {numbers.text}")
        return value

    return parse


def output_file(text: str) -> str:
    """Return a path for a file that can be written, as a type of argparse."""
    return _output(check_output_file, text)


def output_folder(text: str) -> str:
    """Return a path for a folder that can be written to, as a type of argparse."""
    return _output(check_output_folder, text)


def output_file_path(text: str) -> Path:
    """Return a path for a file that can be written, as a ``Path``."""
    return Path(_output(check_output_file, text))


def output_folder_path(text: str) -> Path:
    """Return a path for a folder that can be written to, as a ``Path``."""
    return Path(_output(check_output_folder, text))


def _output(check: Callable, text: str) -> str:
    try:
        return str(check(text))
    except ConfigError as error:
        raise ArgumentTypeError(str(error)) from error


def device(text: str) -> str:
    """Return the name of a device, as a type of argparse. The program itself finds out whether there is one."""
    if not re.fullmatch(r"cpu|mps|cuda(:\d{1,3})?", text):
        raise ArgumentTypeError(f"'{text}' is no device: write cpu, cuda or the number of a GPU, cuda:1")
    return text
