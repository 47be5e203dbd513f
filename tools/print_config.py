"""A whole resolved config, with the file that each value comes from: `python tools/print_config.py dtgan_oulu`."""

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line and print."""
    arguments = parser(__doc__, config=True).parse_args()

    from i2vkit.config.origin import as_text, config_origins

    print(as_text(config_origins(arguments.config, arguments.cfg_options)))


if __name__ == "__main__":
    run_tool(main)
