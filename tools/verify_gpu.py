"""Verify a GPU machine, measure it and train on it: `python tools/verify_gpu.py --out verified`."""

from pathlib import Path

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line, run all stages and print the report."""
    options = parser(__doc__)
    options.add_argument("--out", type=Path, required=True, help="folder of the results")
    options.add_argument("--minutes", type=float, default=10.0, help="the whole may take (default: %(default)s)")
    options.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="default: %(default)s")
    options.add_argument("--narrow", action="store_true", help="models with an eighth of their widths; always on a CPU")
    options.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="KIND",
        help="kinds of stages to run: prepare, ceilings, right, compile, fast, loader, train (default: all)",
    )
    arguments = options.parse_args()

    from i2vkit.analysis.verification import verify

    report = verify(arguments.out, arguments.minutes, arguments.device, arguments.narrow, arguments.only)
    print(report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    run_tool(main)
