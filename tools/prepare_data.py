"""Prepare a data set, like `i2v prepare`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("prepare")
