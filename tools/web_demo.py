"""Try models on a web page, like `i2v demo`. (`tools/demo.py` is the first result of the README.)"""

from i2vkit.cli.main import run_as_tool

if __name__ == "__main__":
    run_as_tool("demo")
