"""Print static baseline and upper bound of the truth of rendered sets, like `i2v truth-bounds`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("truth-bounds")
