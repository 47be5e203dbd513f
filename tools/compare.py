"""Put results side by side, like `i2v compare`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("compare")
