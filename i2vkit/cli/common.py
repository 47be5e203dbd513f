"""Options that several commands share, and errors as plain sentences instead of tracebacks."""

import inspect
import logging
import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, _SubParsersAction
from collections.abc import Callable
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from i2vkit.cli.cfg_options import CfgOptions
from i2vkit.cli.values import output_file_path, output_folder_path
from i2vkit.errors import ConfigError, I2VError, TrainingStopped
from i2vkit.utils.versions import package_versions
from i2vkit.values import RANGES

WRITE_A_FILE = ("prepare_picture",)  # functions whose ``out`` is a file. That of the others is a folder
# Both of a pair install the same import name, so the later one has overwritten half of the other.
RIVALS = (("mmengine", "onedl-mmengine"), ("mmengine-lite", "onedl-mmengine"), ("mmcv", "onedl-mmcv"))


def parser(description: str, config: bool = False, prog: str | None = None) -> ArgumentParser:
    """Return a parser with ``--debug``, and with ``config`` also with the options of ``add_config``.

    Args:
        description: The text below the usage in the help.
        config: The program reads one config. Default False.
        prog: The way in which the user calls the program. By default the name of its file.
    """
    result = ArgumentParser(prog=prog, description=description)
    add_debug(result)
    if config:
        add_config(result)
    return result


def add_debug(options: ArgumentParser) -> None:
    """Add ``--debug``, which ``run_tool`` looks for."""
    options.add_argument("--debug", action="store_true", help="show the traceback of an error")


def add_config(options: ArgumentParser, several: bool = False) -> None:
    """Add the positional ``config``, ``--variant`` and ``--cfg-options``.

    Args:
        options: The parser.
        several: Add ``configs`` instead, one or more. ``--cfg-options`` then applies to all of them. Default False.
    """
    if several:
        options.add_argument("configs", nargs="+", metavar="config", help=config_help())
    else:
        options.add_argument("config", help=config_help())
    add_config_options(options)


def config_help() -> str:
    """Return the help of an argument that takes a config."""
    return "name of a config of i2vkit ('dtgan_oulu'), or path of a config file"


def add_config_options(options: ArgumentParser) -> None:
    """Add ``--variant`` and ``--cfg-options``."""
    options.add_argument(
        "--variant",
        metavar="NAME",
        help="a variant that the config defines, for instance an ablation (i2v print-config CONFIG --variants lists "
        "them); you can also give its own name, CONFIG_NAME, as the config",
    )
    options.add_argument(
        "--cfg-options",
        nargs="+",
        action=CfgOptions,
        metavar="KEY=VALUE",
        help="change the config: model.generator.decoder.type=NAME swaps a part, any other key sets a value; "
        "lists are written '[a,b]' or 'a,b'",
    )


def add_precision(options: ArgumentParser, more: str = "") -> None:
    """Add ``--precision``, by default None, which means the config's. ``more`` is appended to its help text."""
    options.add_argument(
        "--precision",
        choices=["fp32", "tf32", "bf16"],
        help="fp32; tf32, in which a GPU rounds the operands of products; or bf16, mixed precision with the rest in "
        f"tf32 (default: the config's, or else fp32){more}",
    )


def add_command(commands: _SubParsersAction, name: str, help: str, config: bool = False) -> ArgumentParser:
    """Add one sub-command with ``--debug`` and return its parser.

    Args:
        commands: The result of ``add_subparsers``.
        name: The word that the user types.
        help: One line for the list of sub-commands and for its own help.
        config: The sub-command reads one config and gets the options of ``add_config``. Default False.
    """
    command = commands.add_parser(name, help=help, description=help)
    add_debug(command)
    if config:
        add_config(command)
    return command


def add_commands(options: ArgumentParser, dest: str, functions: dict[str, Callable], help: str) -> None:
    """Add one sub-command for each function, with its parameters as options. The chosen name goes to ``dest``."""
    commands = options.add_subparsers(dest=dest, required=True, metavar=dest.upper(), help=help)
    for name, function in functions.items():
        first_line = (inspect.getdoc(function) or "").partition("\n")[0]
        add_parameters(add_command(commands, name, first_line), function)


def add_parameters(options: ArgumentParser, function: Callable) -> None:
    """Add an option for each parameter of ``function``: type and default from its signature, help from its docstring.

    Known types are int, float, str, Path, bool, ``Literal[...]`` and ``tuple[int, int]``, which is written 320x240.
    Each may be ``| None``. A parameter without a default must be given.
    """
    hints, help = get_type_hints(function), _argument_help(function)
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        text = help.get(name, "")
        if not required and parameter.default is not None:
            text = f"{text} (default: {_format_value(parameter.default)})".strip()
        settings = {"required": True} if required else {"default": parameter.default}
        value = _value_of(hints[name])
        if name == "out":
            value = {"type": output_file_path if function.__name__ in WRITE_A_FILE else output_folder_path}
        options.add_argument(f"--{name.replace('_', '-')}", dest=name, help=text, **settings, **value)


def call_with(function: Callable, arguments: Any) -> Any:
    """Call ``function`` with those of the parsed arguments that are its parameters."""
    return function(**{name: getattr(arguments, name) for name in inspect.signature(function).parameters})


def _value_of(hint: Any) -> dict:
    """Return the arguments of ``add_argument`` for a value of that type."""
    if NoneType in get_args(hint):
        (hint,) = [part for part in get_args(hint) if part is not NoneType]
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    if hint is bool:
        return {"action": BooleanOptionalAction}
    if hint == tuple[int, int]:
        return {"type": _width_and_height, "metavar": "WIDTHxHEIGHT"}
    return {"type": hint}


def _width_and_height(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    side = RANGES["size"]
    if not match or not (side.holds(int(match[1])) and side.holds(int(match[2]))):
        raise ArgumentTypeError(f"'{text}' is not width x height, for instance 320x240")
    return int(match[1]), int(match[2])


def _format_value(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _argument_help(function: Callable) -> dict[str, str]:
    """Return the texts of the section ``Args:`` of the docstring, by parameter."""
    section = re.search(r"^Args:\n((?:    .*\n?)+)", inspect.getdoc(function) or "", re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).replace("`", "").replace("%", "%%").rstrip(". ") for name, text in entries}


def run_tool(main: Callable[[], None], debug: bool | None = None) -> None:
    """Run ``main``. An ``I2VError`` becomes ``error: ...`` on stderr and exit code 1, Ctrl-C exit code 130.

    If stdout is closed, as in ``tool | head``, the tool ends quietly with exit code 141, like programs of the shell. A
    training, which only logs there, goes on.

    Args:
        main: Reads the command line and does the work.
        debug: Every error keeps its traceback. By default True if ``--debug`` is on the command line.
    """
    if debug is None:
        debug = "--debug" in sys.argv
    logging.raiseExceptions = debug  # else the logger prints a traceback for each line it cannot write
    try:
        try:
            _run(main, debug)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it exits, so it must point to something that is open.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _run(main: Callable[[], None], debug: bool) -> None:
    """Run ``main``, and turn errors into messages and exit codes."""
    try:
        check_distributions()
        main()
    except I2VError as error:
        if debug:
            raise
        print(f"error: {message_of(error)}", file=sys.stderr)
        sys.exit(1)
    except TrainingStopped as stop:
        if str(stop):  # of several processes only the first has a message
            print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal)
    except BrokenPipeError:
        raise
    except (OSError, MemoryError, RuntimeError) as error:
        if debug or not _is_of_the_machine(error):
            raise
        print(f"error: {_machine_message(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        if debug:
            raise
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _is_of_the_machine(error: Exception) -> bool:
    """Return True for errors of files, disks and memory. PyTorch raises RuntimeError where memory does not suffice."""
    return not isinstance(error, RuntimeError) or "allocate" in str(error)


def _machine_message(error: OSError | MemoryError | RuntimeError) -> str:
    """Return the message for a file that cannot be used, a full disk, or memory that does not suffice."""
    if isinstance(error, RuntimeError):
        return f"the memory does not suffice: lower the batch size or the size of the frames ({str(error)[:200]})"
    if isinstance(error, MemoryError):
        return (
            f"the memory of this machine does not suffice: {error or 'lower the batch size or the size of the frames'}"
        )
    names = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    return f"{names}: {error.strerror or error}" if names else str(error.strerror or error)


def message_of(error: I2VError) -> str:
    """Return the message of an error.

    If it was raised in a data loader's worker, the traceback that torch adds is removed.

    >>> message_of(I2VError("Caught I2VError in DataLoader worker process 0. ... i2vkit.errors.I2VError: a cut file"))
    'a cut file'
    """
    name = f"{type(error).__module__}.{type(error).__qualname__}: "
    return str(error).split(name, maxsplit=1)[-1].strip()


def check_distributions() -> None:
    """Raise ``ConfigError`` if two distributions of one package are installed over each other."""
    installed = package_versions({name for pair in RIVALS for name in pair})
    for old, ours in RIVALS:
        if installed[old] and installed[ours]:
            raise ConfigError(
                f"both '{old}' and '{ours}' are installed, and they overwrite each other's files: "
                f"pip uninstall -y {old} {ours} && pip install {ours}=={installed[ours]}"
            )
