"""Train configs with one budget into one table: `i2v table docs/tables/imaginator_mug.json`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("description", help="a .json description of a table, as those in docs/tables")
    parser.add_argument("--out", help="folder of the results (default: work_dirs/tables/<name of the description>)")
    parser.add_argument("--only", metavar="ROW", help="run this row only, with those it needs; show what others left")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--iterations", type=int, help="of each row, in place of the description's")
    budget.add_argument("--minutes", type=float, help="processor minutes of each row, in place of the description's")
    parser.add_argument("--jobs", type=int, help="rows that run at a time, each in one thread")
    parser.add_argument(
        "--gpus",
        type=lambda text: text.split(","),
        metavar="0,1",
        help="GPUs of the rows, one each, shared where there are more jobs than GPUs (default: all that are visible)",
    )
    parser.add_argument(
        "--docs",
        action="store_true",
        help="run nothing: write the finished rows to docs/results/<table>, and from there the section of "
        "docs/results.md",
    )


def run(arguments: Namespace) -> None:
    """Run what is not finished, and print the table; or write what is there into the docs."""
    from i2vkit.analysis.tables.docs import publish
    from i2vkit.analysis.tables.scheduling import run_table

    changes = {key: getattr(arguments, key) for key in ("iterations", "minutes") if getattr(arguments, key)}
    if arguments.docs:
        print(publish(arguments.description, out=arguments.out, budget=changes))
        return
    out = run_table(arguments.description, arguments.out, arguments.only, changes, arguments.jobs, arguments.gpus)
    print(Path(out, "table.md").read_text(encoding="utf-8"))
