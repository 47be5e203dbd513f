"""Write a paper as one flat file of plain PyTorch: `i2v source dtgan_oulu --out dtgan.py`.

The file has the networks that the config builds and its training step, in reading order, with the shapes of a batch in
comments. It runs alone: `python dtgan.py` takes two steps on random clips.
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config
from i2vkit.cli.values import output_file


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("--out", required=True, type=output_file, metavar="FILE", help="file to write, .py")


def run(arguments: Namespace) -> None:
    """Write the file."""
    from i2vkit.analysis.source import write_source
    from i2vkit.config.loading import load_config

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    name = arguments.config if arguments.variant is None else f"{arguments.config}_{arguments.variant}"
    text = write_source(cfg, name, arguments.out)
    print(f"{arguments.out}: {len(text.splitlines())} lines")
