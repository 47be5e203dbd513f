"""Show samples of a data set as the network gets them, like `i2v browse`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("browse")
