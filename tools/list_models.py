"""List the models that are shipped, like `i2v list`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("list")
