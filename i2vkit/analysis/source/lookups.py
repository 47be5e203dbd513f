"""Definitions, docstrings and imports in the source of i2vkit."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from torch import nn

from i2vkit.analysis.source.constructors import has_spectral_norm
from i2vkit.analysis.source.recording import source_of, tree_of

_SECTIONS = re.compile(r"^(Args|Returns|Raises|Examples?|Attributes|Yields):", re.MULTILINE)


def text_of_docstring(kind: Any) -> str:
    """Return the docstring of a class up to its sections."""
    doc = inspect.cleandoc(kind.__doc__ or "")
    return _SECTIONS.split(doc)[0].strip()


def docstring_lines(text: str, indent: int) -> list[str]:
    """Return a docstring as lines."""
    pad = " " * indent
    if "\n" not in text:
        return [f'{pad}"""{text}"""']
    body = textwrap.indent(text, pad).strip()
    return [*f'{pad}"""{body}'.split("\n"), f'{pad}"""']


def definition_of(function: Callable) -> tuple[str, ast.FunctionDef | ast.ClassDef]:
    """Return the module and the syntax tree of a function or class of i2vkit."""
    plain: Any = inspect.unwrap(function) if isinstance(function, FunctionType) else function
    module = plain.__module__
    line = plain.__code__.co_firstlineno if isinstance(plain, FunctionType) else None
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == plain.__name__:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if line in (None, first, node.lineno):
                return module, node
    raise LookupError(f"{module} has no source of {plain.__qualname__}")


def torch_kind_of(kind: type) -> type:
    """Return the nearest class of torch among the base classes."""
    return next(each for each in kind.__mro__ if each.__module__.startswith("torch.nn.modules"))


def definition_of_init(kind: type) -> tuple[str, ast.FunctionDef]:
    """Return module and syntax tree of the constructor of a class."""
    for node in ast.walk(tree_of(kind.__module__)):
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                    return kind.__module__, inner
    raise LookupError(kind.__name__)


def import_of(name: str, module: str) -> str:
    """Return the import by which a module has a name."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    shown = ast.unparse(ast.alias(alias.name, alias.asname))
                    return f"import {shown}" if isinstance(node, ast.Import) else f"from {node.module} import {shown}"
    raise LookupError(f"{name} in {module}, {source_of(module)[:40]!r}")


def bottom_up(module: nn.Module) -> list[nn.Module]:
    """Return all modules inside of one and itself, each behind its parts."""
    found = (
        [inner for child in module.children() for inner in bottom_up(child)] if not has_spectral_norm(module) else []
    )
    return [*found, module]


def is_ours(module: nn.Module) -> bool:
    """Return True for modules of i2vkit."""
    return type(module).__module__.startswith("i2vkit")


def function_of(value: Any) -> FunctionType | None:
    """Return the plain function behind a method, static method or property."""
    value = getattr(value, "__func__", value)
    value = value.fget if isinstance(value, property) else value
    value = inspect.unwrap(value) if callable(value) else value
    return value if isinstance(value, FunctionType) and value.__module__.startswith("i2vkit") else None


def is_static(node: Any) -> bool:
    """Return True for a static method."""
    return any(ast.unparse(each) == "staticmethod" for each in node.decorator_list)


def delegates(lines: list[str], name: str) -> bool:
    """Return True for a method that only calls the one of its base class, with the arguments that it got."""
    function: Any = ast.parse(dedented("\n".join(lines))).body[0]
    *others, last = [each for each in function.body if not isinstance(each, ast.Expr)]
    given = ", ".join(each.arg for each in function.args.args[1:])
    changed = {
        node.id
        for each in others
        for node in ast.walk(each)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    only = all(isinstance(each, ast.Assign) for each in others) and not changed & set(given.split(", "))
    return only and ast.unparse(last) == f"return super().{name}({given})"


def free_names(tree: ast.AST) -> list[str]:
    """Return all names that are read, in their order."""
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(names))


def dedented(text: str) -> str:
    """Return lines without the spaces that all of them begin with."""
    lines = text.split("\n")
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[depth:] for line in lines)
