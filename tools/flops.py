"""Count what models cost, in one table; the same as `i2v flops`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("flops")
