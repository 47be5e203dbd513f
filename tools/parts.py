"""List the parts that are registered, like `i2v parts`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("parts")
