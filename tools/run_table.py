"""Train configs with one budget into one table, like `i2v table`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("table")
