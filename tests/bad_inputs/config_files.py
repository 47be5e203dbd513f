"""Config files that are none, and names of configs that mean none."""

from pathlib import Path
from typing import Any

from bad_inputs.case import Case
from i2vkit.config.loading import load_config

_READS = "from mmengine.config import read_base\nwith read_base():\n    from .{} import *\n"
# The name, the text of mine.py, and the message.
_TEXTS: list[tuple[str, bytes, str]] = [
    ("an empty file", b"", "mine.py is no config: it defines no key"),
    ("a comment", b"# model\n", "mine.py is no config: it defines no key"),
    ("a file that ends Python", b"import sys\nsys.exit(0)\n", "mine.py cannot be read: SystemExit"),
    ("a file that reads itself", _READS.format("mine").encode(), "it reads itself"),
    ("a file that reads one that is not there", _READS.format("other").encode(), "mine.py cannot be read"),
    ("a mistake of syntax", b"model = dict(\n", "mine.py cannot be read: SyntaxError"),
    ("a mistake when it runs", b"model = 1 / 0\n", "mine.py cannot be read: ZeroDivisionError"),
    ("a name that does not exist", b"model = dict(type=Nope)\n", "mine.py cannot be read: NameError"),
    ("an import that does not exist", b"from i2vkit.models import Nope\nmodel = dict(type=Nope)\n", "import Nope"),
    ("Latin-1", b"# \xe9\nmodel = 3\n", "mine.py cannot be read: UnicodeDecodeError"),
    ("zero bytes", b"\0\0", "mine.py cannot be read"),
    ("a model that is a text", b"model = 'x'\n", "model is 'x', but takes dict("),
    ("a model that is a list", b"model = [3]\n", "model is [3], but takes dict("),
    ("a key that nothing reads", b"modle = dict()\n", "no key 'modle' at the top of a config; nearest: model"),
    ("phases without losses", b"model = dict(phases=dict(a=dict(updates=['x'], losses=dict())))\n", "has no losses"),
    ("no phases", b"model = dict(phases={})\n", "model.phases is empty"),
]
_NAMES: list[tuple[Any, str]] = [
    ("nope", "there is no config 'nope'"),
    ("dtgan_olu", "nearest: dtgan_oulu"),
    ("../dtgan_oulu_", "there is no config"),
    ("a" * 5000, "there is no config 'aaaa"),
    ("a\0b", "there is no config"),
    (3, "config is 3, but takes a text"),
    (None, "config is None, but takes a text"),
    (["dtgan_oulu"], "config is ['dtgan_oulu'], but takes a text"),
]
_OPTIONS: list[tuple[Any, str]] = [
    (["a=1"], "options is ['a=1'], but takes dict("),
    ("model.image_size=3", "options is 'model.image_size=3', but takes dict("),
    ({"model.imagesize": 3}, "no 'imagesize'; nearest: image_size"),
    ({"modle.image_size": 3}, "no key 'modle' in the config; nearest: model"),
    ({"model.generator.decoder.type": "Nope"}, "no decoder is called 'Nope'"),
    ({"model.generator.decoder.type": "DirectHead"}, "is registered as: head"),
    ({"model": 3, "model.image_size": 3}, "a key above it are both set"),
    ({"train_dataloader.dataset.window.0.length": 3}, "window"),
    ({"compile.mod": "x"}, "compile: there is no 'mod'; nearest: mode"),
]


def _of_text(name: str, text: bytes, message: str) -> Case:
    def load(folder: Path) -> None:
        (folder / "mine.py").write_bytes(text)
        load_config(folder / "mine.py")

    return Case("config file", name, load, message)


def _of_name(name: Any, message: str) -> Case:
    return Case("name of a config", repr(name)[:40], lambda folder: load_config(name), message)


def _of_options(options: Any, message: str) -> Case:
    return Case("options", repr(options), lambda folder: load_config("dtgan_weizmann", options), message)


def _json(folder: Path) -> None:
    (folder / "mine.json").write_text('{"model": {}}')
    load_config(folder / "mine.json")


CONFIG_FILES = [
    *(_of_text(*entry) for entry in _TEXTS),
    Case("config file", "JSON", _json, "a config is a Python file"),
    Case("config file", "a folder", lambda folder: load_config(folder), "is a folder"),
    *(_of_name(*entry) for entry in _NAMES),
    *(_of_options(*entry) for entry in _OPTIONS),
]
