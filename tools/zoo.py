"""Add and verify shipped models, like `i2v zoo`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("zoo")
