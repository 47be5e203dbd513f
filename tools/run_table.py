"""Train configs with one budget into one table: `python tools/run_table.py docs/tables/imaginator_mug.json`."""

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line, run what is not finished, and print the table."""
    options = parser(__doc__)
    options.add_argument("description", help="a .json description of a table, as those in docs/tables")
    options.add_argument("--out", help="folder of the results (default: work_dirs/tables/<name of the description>)")
    options.add_argument("--only", metavar="ROW", help="run this row only, and show what the others left")
    options.add_argument("--iterations", type=int, help="of each row, in place of the description's")
    arguments = options.parse_args()

    from i2vkit.apis.table import read_description, run_table
    from i2vkit.apis.table_report import as_markdown

    rows = run_table(arguments.description, arguments.out, arguments.only, arguments.iterations)
    table = read_description(arguments.description)
    print(as_markdown(table | ({"iterations": arguments.iterations} if arguments.iterations else {}), rows))


if __name__ == "__main__":
    run_tool(main)
