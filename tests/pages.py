"""Runs the code blocks of a page of docs/ in their order, in the current folder and in this process.

A Python block whose first line is ``# NAME.py`` is written to that file; other Python blocks share one namespace. Lines
of bash blocks are commands. Blocks of another language, or of none, are shown only.
"""

import os
import re
import runpy
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from i2vkit.cli.main import main

ROOT = Path(__file__).parents[1]
SHORT = ("train_cfg.max_iters=2", "train_cfg.val_interval=2", "default_hooks.checkpoint.interval=2")


@dataclass
class PageRunner:
    """Runs a page. ``changes`` replaces text of commands, so that a test is short; each must occur in the page.

    Attributes:
        monkeypatch: Undoes the variables that the page sets.
        capsys: Keeps what commands print, in ``printed`` by command.
        options: What every training gets beside the page's own options.
    """

    monkeypatch: object
    capsys: object
    changes: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = SHORT
    printed: dict[str, str] = field(default_factory=dict)
    names: dict = field(default_factory=lambda: {"__name__": "page"})

    def run(self, page: str) -> dict[str, str]:
        """Run a page and return what each command printed."""
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for old, new in self.changes.items():
            assert old in text, f"docs/{page} has no {old!r}"
            text = text.replace(old, new)
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            if language == "python":
                self.python(block)
            elif language == "bash":
                for line in block.replace("\\\n", " ").splitlines():
                    self.command(line)
        return self.printed

    def python(self, block: str) -> None:
        """Write a file, or execute a block."""
        if found := re.match(r"# ([\w/]+\.py)\n", block):
            path = Path(found[1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block, encoding="utf-8")
        else:
            exec(compile(block, "<page>", "exec"), self.names)

    def command(self, line: str) -> None:
        """Run one line of a shell."""
        words = shlex.split(os.path.expandvars(line), comments=True)
        if words and words[0] == "export":
            words = words[1:]
        if words and re.fullmatch(r"\w+=.*", words[0]):
            name, _, value = words[0].partition("=")
            self.monkeypatch.setenv(name, os.environ.get(name, value) if value.startswith("${") else value)
            return
        if not words:
            return
        if words[:2] == ["i2v", "train"] or Path(words[min(1, len(words) - 1)]).name == "train.py":
            words += [] if "--cfg-options" in words else ["--cfg-options"]
            words += self.options
        if words[0] == "i2v":
            main(words[1:])
        elif words[:2] == ["mkdir", "-p"]:
            Path(words[2]).mkdir(parents=True, exist_ok=True)
        elif words[:4] == ["python", "-m", "pytest", "-q"]:
            self.tests(words[4])
        elif words[0] == "python" and words[1].endswith(".py"):
            self.monkeypatch.setattr("sys.argv", words[1:])
            runpy.run_path(words[1], run_name="__main__")
        elif words[0] == "bash":
            self.shell(words)
        else:
            raise AssertionError(f"the test does not know how to run {line!r}")
        self.printed[line] = self.capsys.readouterr().out

    def tests(self, file: str) -> None:
        """Call the tests of a file. There must be some."""
        tests = [value for name, value in runpy.run_path(file).items() if name.startswith("test_")]
        assert tests, f"there is no test in {file}"
        for test in tests:
            test()

    def shell(self, words: list[str]) -> None:
        """Run a script of the checkout in processes of its own."""
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        print(done.stdout)
