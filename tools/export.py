"""Export a generator, like `i2v export`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("export")
