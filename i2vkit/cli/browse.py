"""Show the samples of a data set as the network sees them: `i2v browse dtgan_weizmann --number 8`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_config
from i2vkit.cli.values import output_folder_path


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("--split", choices=["train", "val", "test"], default="train", help="(default: %(default)s)")
    parser.add_argument("--number", type=int, default=16, help="number of samples (default: %(default)s)")
    parser.add_argument(
        "--out", type=output_folder_path, help="folder (default: work_dirs/browse/<name of the config>)"
    )
    parser.add_argument("--stats", action="store_true", help="count the clips of all splits, into stats.json too")
    parser.add_argument("--seed", type=int, help="seed of the order of the samples (default: the config's)")


def run(arguments: Namespace) -> None:
    """Write the picture, the video and, with ``--stats``, the statistics."""
    from i2vkit.analysis.browse import browse
    from i2vkit.analysis.data_statistics import format_statistics, statistics, write_statistics
    from i2vkit.config.loading import load_config

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    out = arguments.out or Path("work_dirs/browse") / Path(cfg.filename).stem
    for path in browse(cfg, arguments.split, arguments.number, out, arguments.seed):
        print(path)
    if arguments.stats:
        numbers = statistics(cfg, arguments.seed)
        write_statistics(numbers, out / "stats.json")
        print(format_statistics(numbers), out / "stats.json", sep="\n")
