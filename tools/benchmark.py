"""Measure how fast the toolkit is beside something plain; the same as `i2v benchmark`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("benchmark")
