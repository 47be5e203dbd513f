"""Probe how well a motion encoder tells motion and hides identity, like `i2v probe-motion`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("probe-motion")
