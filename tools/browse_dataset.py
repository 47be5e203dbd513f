"""Look at what the network will see: `python tools/browse_dataset.py configs/_base_/datasets/weizmann_strips.py`."""

from pathlib import Path

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line, write the picture, the video and, if asked to, the statistics."""
    options = parser(__doc__, config=True)
    options.add_argument("--split", choices=["train", "val", "test"], default="train", help="(default: %(default)s)")
    options.add_argument("--number", type=int, default=16, help="of samples (default: %(default)s)")
    options.add_argument("--out", type=Path, help="folder (default: work_dirs/browse/<name of the config>)")
    options.add_argument("--stats", action="store_true", help="count what there is in all splits, into stats.json too")
    options.add_argument("--seed", type=int, help="of the order of the samples (default: the config's)")
    arguments = options.parse_args()

    from i2vkit.analysis.browse import browse
    from i2vkit.analysis.data_statistics import as_text, statistics, write_statistics
    from i2vkit.config.loading import load_config

    cfg = load_config(arguments.config, arguments.cfg_options)
    out = arguments.out or Path("work_dirs/browse") / Path(cfg.filename).stem
    for path in browse(cfg, arguments.split, arguments.number, out, arguments.seed):
        print(path)
    if arguments.stats:
        numbers = statistics(cfg, arguments.seed)
        write_statistics(numbers, out / "stats.json")
        print(as_text(numbers), out / "stats.json", sep="\n")


if __name__ == "__main__":
    run_tool(main)
