"""Measure how fast the toolkit is beside something plain: `python tools/benchmark.py data dtgan_weizmann`."""

import json
from pathlib import Path

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line, run the benchmark, print its numbers and write them if asked to."""
    options = parser(__doc__)
    commands = options.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    shared = dict(parents=[parser("", config=True)], conflict_handler="resolve")

    data = commands.add_parser("data", help="clips a second of the training data", **shared)
    data.add_argument("--seconds", type=float, default=10.0, help="how long to measure (default: %(default)s)")
    data.add_argument("--steps", type=int, default=0, help="of a training, to tell how long it waits for data")

    for command in commands.choices.values():
        command.add_argument("--out", type=Path, metavar="FILE", help="write the numbers to a JSON file too")
    arguments = options.parse_args()

    from i2vkit.apis.benchmark import data as data_benchmark
    from i2vkit.apis.config import load_config
    from i2vkit.media import atomic_path

    cfg = load_config(arguments.config, arguments.cfg_options)
    result = data_benchmark.benchmark_data(cfg, arguments.seconds, arguments.steps)
    print(data_benchmark.as_text(result))
    if arguments.out:
        with atomic_path(arguments.out) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_tool(main)
