"""What the command line tools share: options, and errors that read like a sentence instead of a traceback."""

import inspect
import logging
import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from i2vkit.errors import ConfigError, I2VError
from i2vkit.utils.versions import package_versions

# Both of a pair install the same import name: whichever came last has overwritten half of the other.
RIVALS = (("mmengine", "onedl-mmengine"), ("mmengine-lite", "onedl-mmengine"), ("mmcv", "onedl-mmcv"))


def parser(description: str, config: bool | Literal["several"] = False) -> ArgumentParser:
    """A parser with ``--debug``; with ``config`` also the positional ``config`` and ``--cfg-options``.

    With ``config="several"`` the positional is ``configs``, one or more, and the options are for all of them.
    """
    result = ArgumentParser(description=description)
    result.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if config:
        from mmengine.config import DictAction

        class Options(DictAction):
            """``key=value`` pairs into a dict, with a usage error for anything else."""

            def __call__(self, parser, namespace, values, option_string=None):
                if bad := [value for value in values if "=" not in value]:
                    parser.error(f"{option_string} takes key=value pairs, not '{bad[0]}'")
                super().__call__(parser, namespace, values, option_string)

        text = "name of a config of i2vkit ('dtgan_oulu'), or path of a config file"
        if config == "several":
            result.add_argument("configs", nargs="+", metavar="config", help=text)
        else:
            result.add_argument("config", help=text)
        result.add_argument(
            "--cfg-options",
            nargs="+",
            action=Options,
            metavar="KEY=VALUE",
            help="change the config: model.generator.decoder.type=NAME swaps a part, any other key sets a value; "
            "lists are written '[a,b]' or 'a,b'",
        )
    return result


def add_precision(options: ArgumentParser, more: str = "") -> None:
    """Add ``--precision``, by default None: what the config says. ``more`` stands behind its help text."""
    options.add_argument(
        "--precision",
        choices=["fp32", "tf32", "bf16"],
        help="fp32; tf32: a GPU's products of rounded operands; bf16: mixed precision, the rest in tf32 (default: the "
        f"config's, or else fp32){more}",
    )


def add_commands(options: ArgumentParser, dest: str, functions: dict[str, Callable], help: str) -> None:
    """Add one sub-command a function, whose options are its parameters; the choice goes to ``dest``."""
    commands = options.add_subparsers(dest=dest, required=True, metavar=dest.upper(), help=help)
    for name, function in functions.items():
        first_line = inspect.getdoc(function).splitlines()[0]
        command = commands.add_parser(name, help=first_line, description=first_line)
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
        add_parameters(command, function)


def add_parameters(options: ArgumentParser, function: Callable) -> None:
    """Add an option for each parameter of ``function``: type and default from its signature, help from its docstring.

    Known types are int, float, str, Path, bool, ``Literal[...]`` and ``tuple[int, int]``, which is written 320x240;
    each may be ``| None``. A parameter without a default must be given.
    """
    hints, help = get_type_hints(function), _argument_help(function)
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        text = help.get(name, "")
        if not required and parameter.default is not None:
            text = f"{text} (default: {_as_text(parameter.default)})".strip()
        settings = {"required": True} if required else {"default": parameter.default}
        options.add_argument(f"--{name.replace('_', '-')}", dest=name, help=text, **settings, **_value_of(hints[name]))


def call_with(function: Callable, arguments: Any) -> Any:
    """Call ``function`` with those of the parsed arguments that are its parameters."""
    return function(**{name: getattr(arguments, name) for name in inspect.signature(function).parameters})


def _value_of(hint: Any) -> dict:
    """How argparse reads a value of that type."""
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
    if not match:
        raise ArgumentTypeError(f"'{text}' is not width x height, for instance 320x240")
    return int(match[1]), int(match[2])


def _as_text(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _argument_help(function: Callable) -> dict[str, str]:
    """What the section ``Args:`` of the docstring says, by parameter."""
    section = re.search(r"^Args:\n((?:    .*\n?)+)", inspect.getdoc(function) or "", re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).replace("`", "").replace("%", "%%").rstrip(". ") for name, text in entries}


def run_tool(main: Callable[[], None]) -> None:
    """Run ``main``; an ``I2VError`` becomes ``error: ...`` on stderr and exit code 1, Ctrl-C exit code 130.

    With ``--debug`` on the command line every error keeps its traceback. Where nobody reads stdout any more, as in
    ``tool | head``, the tool ends quietly with exit code 141, as programs of the shell do; a training, which only logs
    there, goes on.
    """
    logging.raiseExceptions = "--debug" in sys.argv  # else the logger prints a traceback for each line it cannot write
    try:
        try:
            _run(main)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes what is left once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _run(main: Callable[[], None]) -> None:
    """Run ``main``, errors becoming messages and exit codes."""
    try:
        check_distributions()
        main()
    except I2VError as error:
        if "--debug" in sys.argv:
            raise
        print(f"error: {message_of(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        if "--debug" in sys.argv:
            raise
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def message_of(error: I2VError) -> str:
    """What an error says; of one raised in a data loader's worker, without the traceback that torch writes into it.

    >>> message_of(I2VError("Caught I2VError in DataLoader worker process 0. ... i2vkit.errors.I2VError: a cut file"))
    'a cut file'
    """
    name = f"{type(error).__module__}.{type(error).__qualname__}: "
    return str(error).split(name, maxsplit=1)[-1].strip()


def check_distributions() -> None:
    """Raise ``ConfigError`` where two distributions of one package are installed over each other."""
    installed = package_versions({name for pair in RIVALS for name in pair})
    for old, ours in RIVALS:
        if installed[old] and installed[ours]:
            raise ConfigError(
                f"both '{old}' and '{ours}' are installed, and they overwrite each other's files: "
                f"pip uninstall -y {old} {ours} && pip install {ours}=={installed[ours]}"
            )
