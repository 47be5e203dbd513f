"""Checks of values before any work begins: types by annotation, ranges by the name of an argument, outputs, memory.

The command line, configs, the builders of parts and the Python API share them. Nothing here imports torch.
"""

from i2vkit.values.arguments import (
    check_argument,
    check_arguments,
    check_keys,
    checks_arguments,
    hints_of,
    refuse_values,
)
from i2vkit.values.memory import refuse_beyond_memory
from i2vkit.values.outputs import check_output_file, check_output_folder
from i2vkit.values.ranges import RANGES, Range, range_of

__all__ = [
    "RANGES",
    "Range",
    "check_argument",
    "check_arguments",
    "check_keys",
    "check_output_file",
    "check_output_folder",
    "checks_arguments",
    "hints_of",
    "range_of",
    "refuse_beyond_memory",
    "refuse_values",
]
