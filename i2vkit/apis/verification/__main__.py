"""The process of one stage; ``scheduling`` starts it."""

import sys
from pathlib import Path

from i2vkit.apis.cli import run_tool
from i2vkit.apis.verification.stages import run_stage

if __name__ == "__main__":
    kind, subject, out, device, narrow, seconds = sys.argv[1:]
    run_tool(lambda: run_stage(kind, subject, Path(out), device, bool(int(narrow)), float(seconds)))
