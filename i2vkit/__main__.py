"""``python -m i2vkit`` is ``i2v``, where the entry point is not installed."""

from i2vkit.cli.main import main

if __name__ == "__main__":
    main(prog="python -m i2vkit")
