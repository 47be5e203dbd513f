"""Verify a GPU machine, measure it and train on it: `i2v verify-gpu --out verified`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.values import output_folder_path


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("--out", type=output_folder_path, required=True, help="folder of the results")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="minutes that all stages together may take (default: %(default)s)"
    )
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="default: %(default)s")
    parser.add_argument(
        "--narrow", action="store_true", help="narrow models, a sixteenth as wide; a CPU always gets these"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="KIND",
        help="kinds of stages to run: prepare, peaks, right, compile, fast, loader, train (default: all)",
    )
    parser.add_argument(
        "--subjects",
        nargs="+",
        default=(),
        metavar="NAME",
        help="models and recipes of these stages, as the report names them (default: all)",
    )


def run(arguments: Namespace) -> None:
    """Run all stages and print the report."""
    from i2vkit.analysis.verification import verify

    report = verify(
        arguments.out, arguments.minutes, arguments.device, arguments.narrow, arguments.only, arguments.subjects
    )
    print(report.read_text(encoding="utf-8"))
