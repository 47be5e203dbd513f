"""Test a model, like `i2v test`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("test")
