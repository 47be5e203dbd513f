"""Functions, data classes and methods as source text, each behind those that it uses."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from dataclasses import is_dataclass
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import nn

from i2vkit.analysis.source.constructors import (
    plain_data,
)
from i2vkit.analysis.source.lookups import (
    dedented,
    definition_of,
    delegates,
    docstring_lines,
    free_names,
    function_of,
    import_of,
    is_static,
    text_of_docstring,
    torch_kind_of,
)
from i2vkit.analysis.source.recording import Record, key_of
from i2vkit.analysis.source.slicing import Slicer
from i2vkit.errors import ConfigError

_STATE = "GenerationState"
# Names that a module has in any case.
_OWN = {"training", "forward", "state_dict", "parameters", "modules", "train", "eval"}


class DefinitionWriter:
    """Writes functions, data classes and methods, and everything that they use by name.

    Args:
        record: The record of a training step.
        construction: The record of the constructors.

    Attributes:
        pieces: The source of every class and function by name, in reading order.
        imports: Lines of imports.
    """

    def __init__(self, record: Record, construction: Record):
        self.record, self.construction = record, construction
        self.pieces: dict[str, list[str]] = {}
        self.imports: set[str] = set()
        self._in_constructor = False  # True while what a constructor uses is written

    def need(self, name: str, module: str) -> None:
        """Write a class that other text uses by name."""
        self._provide(name, module)

    def add_object(self, value: Any) -> str:
        """Write the class of an object that is called by its methods alone, and return the name of the class."""
        return self._helper(value)

    def _methods(self, kind: type) -> tuple[dict[str, list[str]], set[str]]:
        """Return the methods of a class that ran, by name, and the attributes of ``self`` that they use."""
        methods: dict[str, list[str]] = {}
        for base in kind.__mro__:
            if not base.__module__.startswith("i2vkit"):
                continue
            for name, value in vars(base).items():
                function = function_of(value)
                if (
                    function is None
                    or name in methods
                    or name in ("__init__", "train")
                    or not self._ran(function, kind)
                ):
                    continue
                lines = self._function(function, kind, 4)
                if not delegates(lines, name):
                    methods[name] = lines
        text = "\n".join(line for lines in methods.values() for line in lines)
        if "super()." in text and torch_kind_of(kind) is nn.Module:
            raise ConfigError(f"{kind.__name__} adds to a method of its base class, which is not written as source")
        used = set(re.findall(r"\bself\.(\w+)", text))
        if "getattr(self," in text:
            used |= set(re.findall(r'"(\w+)"', text))
        return methods, used - set(methods) - _OWN

    def _ran(self, function: FunctionType, kind: type) -> bool:
        try:
            module, node = definition_of(function)
        except LookupError:
            return False
        key = key_of(module, node)
        return self.record.ran(key, kind) or (self.record.ran(key, type(None)) and is_static(node))

    def _function(self, function: FunctionType, owner: type, indent: int) -> list[str]:
        """Return the lines of a function, and write what it uses."""
        module, node = definition_of(function)
        assert isinstance(node, ast.FunctionDef), "a function has the syntax tree of one"
        static = is_static(node)
        record = self.construction if self._in_constructor else self.record
        lines = Slicer(module, record, type(None) if static else owner).function(node, indent)
        self.resolve("\n".join(lines), module)
        return lines

    def _helper(self, value: Any) -> str:
        """Write the class of an object that is no module, and return its name."""
        kind = type(value)
        name = kind.__name__.lstrip("_")
        if name not in self.pieces:
            methods, used = self._methods(kind)
            if left := sorted(each for each in used if not plain_data(getattr(value, each, None))):
                raise ConfigError(f"{kind.__name__}.{left[0]} is not written as source")
            body = [f"        self.{each} = {getattr(value, each)!r}" for each in sorted(used)]
            init = ["    def __init__(self):", *body, ""] if body else []
            texts = [line for lines in methods.values() for line in [*lines, ""]]
            doc = docstring_lines(text_of_docstring(kind), 4)
            self.pieces[name] = [f"class {name}:", *doc, "", *init, *texts][:-1]
        return name

    def resolve(self, text: str, module: str) -> None:
        """Write or import everything that a piece of source uses of its module."""
        try:
            tree = ast.parse(dedented(text))
        except SyntaxError:
            tree = ast.parse("")
            for name in re.findall(r"\b[A-Za-z_]\w*\b", text):
                self._provide(name, module)
        for name in free_names(tree):
            self._provide(name, module)

    def _provide(self, name: str, module: str) -> None:
        values = vars(sys.modules[module])
        if name in self.pieces or name not in values or hasattr(builtins, name) or name == _STATE:
            return
        value = values[name]
        if isinstance(value, FunctionType | type) and value.__module__.startswith("i2vkit"):
            self._write(name, value)
        elif isinstance(value, ModuleType | FunctionType | type) or callable(value):
            self.imports.add(import_of(name, module))
        elif plain_data(value):
            self.pieces[name] = [f"{name} = {value!r}"]

    def _write(self, name: str, value: Any) -> None:
        """Write a function or class of i2vkit that others use by name."""
        if isinstance(value, FunctionType):
            self.pieces[name] = []  # a function that calls itself finds its name
            lines = self._function(value, type(None), 0)
            del self.pieces[name]
            self.pieces[name] = lines
        elif is_dataclass(value):
            self.pieces[name] = self._data_class(value)
        elif issubclass(value, torch.autograd.Function):
            lines = [f"class {name}(torch.autograd.Function):", *docstring_lines(text_of_docstring(value), 4), ""]
            for each in vars(value).values():
                if (function := function_of(each)) is not None:
                    lines += [*self._function(function, type(None), 4), ""]
            self.imports.add("import torch")
            self.pieces[name] = lines[:-1]
        else:
            raise ConfigError(f"{value.__name__} is used by name, which is not written as source")

    def _data_class(self, kind: Any) -> list[str]:
        """Return a data class with all its fields; those that nothing uses are left out at the end."""
        self.imports |= {"from dataclasses import dataclass, field", "from torch import Tensor, nn"}
        first = text_of_docstring(kind).split("\n\n")[0]
        lines = ["@dataclass", f"class {kind.__name__}:", *docstring_lines(first, 4), ""]
        _, node = definition_of(kind)
        return lines + [f"    {ast.unparse(each)}" for each in node.body if isinstance(each, ast.AnnAssign)]
