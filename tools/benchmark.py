"""Measure the speed of the toolkit against reference implementations, like `i2v benchmark`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("benchmark")
