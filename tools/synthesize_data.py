"""Render a stand-in for a data set: `python tools/synthesize_data.py oulu_casia --out data/oulu_casia`."""

from i2vkit.cli.common import add_commands, call_with, parser, run_tool


def main() -> None:
    """Read the command line and render."""
    from i2vkit.rendering import SYNTHESIZERS

    options = parser(__doc__)
    add_commands(options, "set", SYNTHESIZERS, help="whose layout to write; SET --help shows its options")
    arguments = options.parse_args()
    print(call_with(SYNTHESIZERS[arguments.set], arguments))


if __name__ == "__main__":
    run_tool(main)
