"""Show what the network will see of a data set; the same as `i2v browse`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("browse")
