"""Ask people which videos look more real, like `i2v study`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("study")
