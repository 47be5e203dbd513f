"""Score videos that somebody else has made, like `i2v evaluate`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("evaluate")
