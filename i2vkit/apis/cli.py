"""What the command line tools share: options, and errors that read like a sentence instead of a traceback."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from i2vkit.errors import ConfigError, I2VError

# Both of a pair install the same import name: whichever came last has overwritten half of the other.
RIVALS = (("mmengine", "onedl-mmengine"), ("mmengine-lite", "onedl-mmengine"), ("mmcv", "onedl-mmcv"))


def parser(description: str, config: bool = False) -> ArgumentParser:
    """A parser with ``--debug``; with ``config`` also the positional ``config`` and ``--cfg-options``."""
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

        result.add_argument("config", help="name of a config of i2vkit ('dtgan_oulu'), or path of a config file")
        result.add_argument(
            "--cfg-options",
            nargs="+",
            action=Options,
            metavar="KEY=VALUE",
            help="change the config: model.generator.decoder.type=NAME swaps a part, any other key sets a value; "
            "lists are written '[a,b]' or 'a,b'",
        )
    return result


def run_tool(main: Callable[[], None]) -> None:
    """Run ``main``; an ``I2VError`` becomes ``error: ...`` on stderr and exit code 1, Ctrl-C exit code 130.

    With ``--debug`` on the command line every error keeps its traceback.
    """
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
    for old, ours in RIVALS:
        if _installed(old) and _installed(ours):
            raise ConfigError(
                f"both '{old}' and '{ours}' are installed, and they overwrite each other's files: "
                f"pip uninstall -y {old} {ours} && pip install {ours}=={version(ours)}"
            )


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
