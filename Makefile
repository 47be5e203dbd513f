# make venv | demo | docs | test | verify-zoo | test-all | test-oldest | test-faults | test-browser | test-mutation | lint | clean
# PYTHON chooses the interpreter that makes .venv (3.11 to 3.14); the first use installs PyTorch, some gigabytes.

# The first that runs: pyenv has a command for versions that are not chosen, which only prints an error.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null \
	&& command -v "$$python" && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

# glibc's allocator as it comes costs a sixth of a training step on a CPU; read when Python starts.
export MALLOC_MMAP_THRESHOLD_ := 8589934592
export MALLOC_TRIM_THRESHOLD_ := 17179869184
export MALLOC_TOP_PAD_ := 268435456
export PIP_ROOT_USER_ACTION := ignore

.PHONY: venv demo docs test verify-zoo test-all test-oldest test-faults test-browser test-mutation lint clean

venv: .venv/test

$(PY):
	@test -n "$(PYTHON)" || { echo "error: Python 3.11, 3.12, 3.13 or 3.14 is needed and none is there; give one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || { echo "error: $(PYTHON) is not Python 3.11 to 3.14" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' || { echo "error: $(PYTHON) cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv

# One stamp for each set of extras; setup.py says what they are.
.venv/test .venv/demo .venv/docs .venv/browser: .venv/%: setup.py pyproject.toml | $(PY)
	$(PIP) --editable '.[$*]'
	@touch $@

demo: .venv/demo
	$(PY) tools/demo.py

# The documentation site, in build/docs; every warning, dead link and request to another host is an error.
docs: export NO_MKDOCS_2_WARNING := 1
docs: .venv/docs
	$(PY) -m mkdocs build --quiet --strict
	$(PY) -m docs_site.check build/docs

# The tests' models are narrow: a second thread only waits for the first, above all on a busy machine.
test verify-zoo test-all test-oldest test-faults test-browser test-mutation: export OMP_NUM_THREADS := 1
# So many files of tests run at a time; the tests of one file share what they prepare.
JOBS ?= 2
test: .venv/test
	$(PY) -m pytest -m "not slow and not browser" --numprocesses $(JOBS) --dist loadfile

test-all: .venv/test
	$(PY) -m pytest -m "not faults and not browser" --numprocesses $(JOBS) --dist loadfile

# Renders two test people and scores shipped models anew: every committed digit must come out.
MODELS ?= fomm-faces monkey-net-faces
verify-zoo: .venv/test
	for model in $(MODELS); do $(PY) -m i2vkit zoo verify $$model --quick || exit 1; done

# Each interruption point of a training, a preparation and a table in turn: for the night.
test-faults: .venv/test
	$(PY) -m pytest -m faults --numprocesses $(JOBS) --dist loadfile

# The web pages in Chromium, which apt-get installs where it is missing. Without a browser they fail here.
# BROWSER_TESTS=browser runs the slow ones too: ten users of the demo at once.
BROWSER_TESTS ?= browser and not slow
test-browser: export I2V_BROWSER := required
test-browser: .venv/browser
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
		$$SUDO apt-get -o Acquire::Retries=3 update -q && $$SUDO apt-get -o Acquire::Retries=3 install -y -q --no-install-recommends chromium; } || { \
		echo "error: apt-get could not install chromium (its messages are above); install Chromium, then run make test-browser again" >&2; exit 1; }
	$(PY) -m pytest tests/web -m "$(BROWSER_TESTS)" --durations 5

# Small mistakes put into losses, engine and evaluation on purpose: tests/mutation/README.md
test-mutation: .venv/test
	cd tests && PYTHONPATH=.:.. ../$(PY) -m mutation

# The oldest allowed version of every package, in an environment of its own (some gigabytes).
test-oldest: | $(PY)
	test -x .venv-oldest/bin/python || "$(PYTHON)" -m venv .venv-oldest
	$(PY) tests/oldest.py > .venv-oldest/constraints.txt
	.venv-oldest/bin/python -m pip install --quiet --constraint .venv-oldest/constraints.txt --editable '.[test]'
	.venv-oldest/bin/python -m pytest -m "not slow and not browser" --numprocesses $(JOBS) --dist loadfile

lint: .venv/test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

clean:
	rm -rf .venv .venv-oldest .pytest_cache .ruff_cache .mypy_cache .mutation build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
