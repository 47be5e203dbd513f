"""Compare results: `i2v compare work_dirs/a/test/transfer/metrics.json B=b/metrics.json`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.values import output_folder


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument(
        "results",
        nargs="+",
        metavar="[NAME=]FILE",
        help="metrics.json files; the others are compared with the first, and files of one NAME are its seeds",
    )
    parser.add_argument(
        "--out", type=output_folder, default="work_dirs/compare", help="folder of table and plot (default: %(default)s)"
    )
    parser.add_argument("--csv", action="store_true", help="write compare.csv too")


def run(arguments: Namespace) -> None:
    """Compare, print the table, and write it with a plot."""
    from i2vkit.analysis.comparison.comparable import read_results
    from i2vkit.analysis.comparison.comparison_report import format_comparison, write_comparison
    from i2vkit.analysis.comparison.paired import compare

    comparison = compare(read_results(arguments.results))
    paths = write_comparison(comparison, arguments.out, arguments.csv)
    print(format_comparison(comparison))
    print(*paths, sep="\n")
