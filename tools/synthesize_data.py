"""Render a synthetic data set, like `i2v synthesize`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("synthesize")
