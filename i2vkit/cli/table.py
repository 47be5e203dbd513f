"""Train configs with one budget, and make a table of them: `i2v table docs/tables/imaginator_mug.json`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.values import output_folder
from i2vkit.errors import TrainingError


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("description", help="a .json description of a table, like those in docs/tables")
    parser.add_argument(
        "--out", type=output_folder, help="folder of the results (default: work_dirs/tables/<name of the description>)"
    )
    parser.add_argument(
        "--only", metavar="ROW", help="run only this row and those it needs; the table shows finished rows too"
    )
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--iterations", type=int, help="iterations of each row, in place of the description's")
    budget.add_argument("--minutes", type=float, help="processor minutes of each row, in place of the description's")
    parser.add_argument("--jobs", type=int, help="number of rows that run at a time, each in one thread")
    parser.add_argument(
        "--gpus",
        type=lambda text: text.split(","),
        metavar="0,1",
        help="GPUs of the rows, one each, and shared if there are more jobs than GPUs (default: all visible ones)",
    )
    parser.add_argument(
        "--docs",
        action="store_true",
        help="run nothing, but write the finished rows to docs/results/<table>, and from there the section of "
        "docs/results.md",
    )


def run(arguments: Namespace) -> None:
    """Run the rows that are not finished, and print the table.

    With ``--docs`` write the finished rows into the docs.
    """
    from i2vkit.analysis.tables.docs import publish
    from i2vkit.analysis.tables.scheduling import default_out, run_table

    changes = {key: getattr(arguments, key) for key in ("iterations", "minutes") if getattr(arguments, key) is not None}
    if arguments.docs:
        print(publish(arguments.description, out=arguments.out, budget=changes))
        return
    report = Path(arguments.out or default_out(arguments.description), "table.md")
    try:
        run_table(
            arguments.description, arguments.out, arguments.only, changes, arguments.jobs, arguments.gpus, strict=True
        )
    except TrainingError:
        print(report.read_text(encoding="utf-8"))
        raise
    print(report.read_text(encoding="utf-8"))
