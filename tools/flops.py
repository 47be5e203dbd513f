"""Count parameters, multiply-adds and memory of models in one table, like `i2v flops`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("flops")
