"""A table of bad inputs by kind, each with the message that it must give.

``tests/test_bad_inputs.py`` runs all of them. ``python -m bad_inputs`` (with ``tests`` and i2vkit on the path) prints
how many end in one clear message, a traceback, or silence, for any version of i2vkit.
"""

from bad_inputs.case import Case
from bad_inputs.clip_tables import CLIP_TABLES
from bad_inputs.command_line import COMMAND_LINE
from bad_inputs.config_files import CONFIG_FILES
from bad_inputs.configs import CONFIGS
from bad_inputs.files import FILES
from bad_inputs.interface import INTERFACE
from bad_inputs.python_api import PYTHON_API
from bad_inputs.runs import RUNS

CASES: list[Case] = [*CONFIGS, *CONFIG_FILES, *COMMAND_LINE, *CLIP_TABLES, *FILES, *PYTHON_API, *INTERFACE, *RUNS]

__all__ = ["CASES", "Case"]
