"""Try a sample of mutants of three packages on their tests, and print how many are noticed.

Each mutant is a module with one small mistake (``mutants.py``). The tests that run the changed lines are tried on it,
the quickest first, until one fails. A mutant that survives is a mistake that no test would notice, or none at all.
``results.json`` in the folder ``--out`` keeps what is done, so the run goes on where it was interrupted.
"""

import argparse
import json
import os
import random
import time
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path

from mutation.mutants import Mutant, mutants, mutated_tree

ROOT = Path(__file__).parents[2]
# The tests of a package lie in the folder that has its name. Runs that are interrupted test the engine too, and so do
# bad inputs.
TESTS = {
    "i2vkit/models/losses": ["tests/models"],
    "i2vkit/engine": ["tests/engine", "tests/faults", "tests/test_bad_inputs.py", "tests/test_named.py"],
    "i2vkit/evaluation": ["tests/evaluation", "tests/models/test_pose_lstm.py"],
}
# Packages of others that the tests import. Each forked process has them.
THEIRS = (
    "matplotlib.pyplot",
    "mmcv",
    "mmengine.runner",
    "scipy.stats",
    "skimage",
    "timm",
    "torchmetrics",
    "torchvision",
)
LONGEST = 60.0  # seconds of tests for one mutant: the rest, which are the slowest, are not tried


def modules(package: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py"))


def test_files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.glob("test_*.py"))


def recorded(out: Path, package: str) -> dict[str, dict]:
    """Return the tests of a package, each with its time and the lines that it runs, from the folder if it is there."""
    from mutation.forks import record_lines

    path = out / f"{package.replace('/', '.')}.json"
    if not path.exists():
        files = {str(ROOT / module) for module in modules(package)}
        tests: dict[str, dict] = {}
        for file in (file for place in TESTS[package] for file in test_files(ROOT / place)):
            tests |= record_lines(files, str(file.relative_to(ROOT)))
            print(f"{file.name}: {len(tests)} tests until here", flush=True)
        path.write_text(json.dumps(tests), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def tests_of(mutant: Mutant, tests: dict[str, dict]) -> list[str]:
    """Return the tests that run the changed statement, or its module if none does, file by file, the quickest first."""
    file, wanted = str(ROOT / mutant.module), set(range(mutant.first, mutant.last + 1))
    lines = {name: set(test["lines"].get(file, ())) for name, test in tests.items() if test["passed"]}
    found = [name for name in lines if lines[name] & wanted] or [name for name in lines if lines[name]]
    found.sort(key=lambda name: tests[name]["seconds"])
    spent = 0.0
    kept = []
    for name in found:
        spent += tests[name]["seconds"]
        if spent > LONGEST and kept:
            break
        kept.append(name)
    quickest = {}
    for name in kept:
        quickest.setdefault(name.split("::")[0], len(quickest))
    return sorted(kept, key=lambda name: quickest[name.split("::")[0]])


def try_all(out: Path, number: int, seed: int, again: bool) -> dict[str, dict[str, str]]:
    """Try the sampled mutants that are not done, and return the results by the key of the mutant."""
    from mutation.forks import first_failure

    path = out / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    everything = [mutant for package in TESTS for module in modules(package) for mutant in mutants(ROOT, module)]
    sample = random.Random(seed).sample(everything, min(number, len(everything)))
    sample = [mutant for mutant in sample if "TYPE_CHECKING" not in mutant.change]  # an import for type checkers
    tests = {package: recorded(out, package) for package in TESTS}
    for count, mutant in enumerate(sample):
        done = results.get(mutant.key)
        if done and not (again and done["how"] == "survived"):
            continue
        package = next(package for package in TESTS if mutant.module.startswith(package))
        chosen = tests_of(mutant, tests[package])
        seconds = sum(tests[package][name]["seconds"] for name in chosen)
        start = time.monotonic()
        found = first_failure(ROOT, mutant.module, mutated_tree(ROOT, mutant), chosen, 60 + 5 * seconds)
        how = "hangs" if found is None else "killed" if found else "survived"
        results[mutant.key] = dict(how=how, by=found or "", package=package)
        print(
            f"{count + 1}/{len(sample)} {how} {mutant.key} {found or ''} {time.monotonic() - start:.0f} s", flush=True
        )
        path.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return {mutant.key: results[mutant.key] for mutant in sample}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=480, help="mutants to try (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / ".mutation", help="where the results are kept")
    parser.add_argument("--again", action="store_true", help="try those that survived again, after new tests")
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    os.chdir(ROOT)
    if given.again:  # which lines the new tests run
        for package in TESTS:
            (given.out / f"{package.replace('/', '.')}.json").unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in THEIRS:
            import_module(name)
    results = try_all(given.out, given.number, given.seed, given.again)
    counts = {
        package: Counter(one["how"] for one in results.values() if one["package"] == package) for package in TESTS
    }
    print("| package | mutants | killed | hang | survived | killed or hang |\n|---|---|---|---|---|---|")
    for package, found in {**counts, "all": sum(counts.values(), Counter())}.items():
        share = (found["killed"] + found["hangs"]) / max(1, found.total())
        cells = (package, found.total(), found["killed"], found["hangs"], found["survived"], f"{share:.1%}")
        print(f"| {' | '.join(map(str, cells))} |")
    for key, one in results.items():
        if one["how"] == "survived":
            print("survived", key)


if __name__ == "__main__":
    main()
