"""Verify a GPU machine, measure it and train on it, like `i2v verify-gpu`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("verify-gpu")
