"""Count how the cases end, by kind."""

import logging
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from bad_inputs import CASES
from bad_inputs.case import ending

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
counts: dict[str, Counter] = {}
for case in CASES:
    with tempfile.TemporaryDirectory() as folder:
        how, text = ending(case, Path(folder))
    counts.setdefault(case.kind, Counter())[how] += 1
    if how != "clear" and "-v" in sys.argv:
        print(how, case.kind, case.name, "|", text[:160].replace("\n", " "), "| wanted:", case.message)
ways = ("clear", "other", "traceback", "silent")
print(f"{'kind':20}", *(f"{way:>10}" for way in ways))
for kind, found in counts.items():
    print(f"{kind:20}", *(f"{found[way]:>10}" for way in ways))
total = sum(counts.values(), Counter())
print(f"{'all ' + str(total.total()):20}", *(f"{total[way]:>10}" for way in ways))
