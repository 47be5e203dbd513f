"""Entry point of the process of one stage, which ``scheduling`` starts."""

import sys
from pathlib import Path

from i2vkit.analysis.verification.stages import run_stage
from i2vkit.cli.common import run_tool

if __name__ == "__main__":
    kind, subject, out, device, narrow, seconds = sys.argv[1:]
    run_tool(lambda: run_stage(kind, subject, Path(out), device, bool(int(narrow)), float(seconds)))
