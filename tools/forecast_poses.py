"""Forecast poses, like `i2v forecast-poses`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("forecast-poses")
