"""Every bad input of the table ends in one clear message, before any work begins and with nothing written."""

from collections import Counter

import pytest
from bad_inputs import CASES, Case
from bad_inputs.case import ending

LONGEST = 900  # characters of a message


def test_the_table_is_long_and_names_no_input_twice():
    counts = Counter(case.kind for case in CASES)
    assert counts.total() >= 300 and min(counts.values()) >= 3
    assert len({(case.kind, case.name) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_a_bad_input_gives_its_message(case: Case, tmp_path):
    how, text = ending(case, tmp_path)
    assert how == "clear", f"{how}: {text}"
    assert "Traceback" not in text
    assert len(text) < LONGEST + 2000 * (case.kind == "command line")  # argparse repeats the usage
