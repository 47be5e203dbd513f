"""Write a config as one flat file of plain PyTorch, like `i2v source`."""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("source")
