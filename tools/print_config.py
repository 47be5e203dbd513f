"""Print a whole resolved config, with the file that each value comes from, like `i2v print-config`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("print-config")
