"""Measure motion transfer against exact truth, on i2v-truth-v1 (like `i2v truth-benchmark`)."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("truth-benchmark")
