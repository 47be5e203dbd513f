"""Convert weights of the papers' authors, like `i2v convert`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("convert")
