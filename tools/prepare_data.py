"""Prepare a data set: `python tools/prepare_data.py oulu_casia --source data/oulu_casia --out data/oulu_casia_64`."""

from i2vkit.cli.common import add_commands, call_with, parser, run_tool


def main() -> None:
    """Read the command line and prepare."""
    from i2vkit.preparation import PREPARERS

    options = parser(__doc__)
    add_commands(options, "set", PREPARERS, help="which data set; SET --help shows its options")
    arguments = options.parse_args()
    print(call_with(PREPARERS[arguments.set], arguments))


if __name__ == "__main__":
    run_tool(main)
