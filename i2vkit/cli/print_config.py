"""Print a whole resolved config, with the file that sets each value: `i2v print-config dtgan_oulu`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("--variants", action="store_true", help="list the variants of the config instead")


def run(arguments: Namespace) -> None:
    """Print the config as a table of keys, values and files."""
    from i2vkit.config.finding import find_config
    from i2vkit.config.loading import read_variants
    from i2vkit.config.origin import config_origins, format_origins
    from i2vkit.config.variants import format_variants

    if arguments.variants:
        print(format_variants(read_variants(find_config(arguments.config))))
        return
    print(format_origins(config_origins(arguments.config, arguments.cfg_options, arguments.variant)))
