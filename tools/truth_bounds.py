"""Print what the truth of rendered sets leaves room for; the same as `i2v truth-bounds`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("truth-bounds")
