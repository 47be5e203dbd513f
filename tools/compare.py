"""Put results side by side: `python tools/compare.py work_dirs/a/test/transfer/metrics.json B=b/metrics.json`."""

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line, compare, print the table, and write it with a plot."""
    options = parser(__doc__)
    options.add_argument(
        "results",
        nargs="+",
        metavar="[NAME=]FILE",
        help="metrics.json files; the first is what the others are compared with, files of one NAME are its seeds",
    )
    options.add_argument("--out", default="work_dirs/compare", help="folder of table and plot (default: %(default)s)")
    options.add_argument("--csv", action="store_true", help="write compare.csv too")
    arguments = options.parse_args()

    from i2vkit.analysis.comparison.comparable import read_results
    from i2vkit.analysis.comparison.paired import compare
    from i2vkit.analysis.comparison.report import as_markdown, write_comparison

    comparison = compare(read_results(arguments.results))
    paths = write_comparison(comparison, arguments.out, arguments.csv)
    print(as_markdown(comparison))
    print(*paths, sep="\n")


if __name__ == "__main__":
    run_tool(main)
