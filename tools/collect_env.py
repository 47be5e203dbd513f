"""Print the versions and devices that a bug report needs, like `i2v collect-env`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("collect-env")
