"""Signatures and docstrings of functions, read from the source without importing the modules that define them.

``i2v prepare mug --help`` shows the parameters of ``prepare_mug`` as options. Importing that function would import
torch, OpenCV and SciPy first, which takes seconds. Reading its ``def`` takes milliseconds.
"""

import ast
import builtins
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import i2vkit

_PACKAGE = Path(i2vkit.__file__).parent


def declared_functions(package: str, table: str) -> dict[str, Callable]:
    """Return the functions that a dict at the top level of a package names, each without its body.

    Name, signature and docstring are those of the real functions. If you call one, it returns None.

    Args:
        package: A module of i2vkit, such as ``i2vkit.preparation``.
        table: The name of a dict in it that maps strings to functions.

    Raises:
        LookupError: The dict, a function in it or a name of a signature is not found in its module as ``from ... import
            NAME``, ``def NAME`` or ``NAME = ...`` at the top level.
    """
    return _declared(package, table)


def _declared(module: str, name: str) -> Any:
    """Return the meaning of ``name`` in ``module``: a constant, a type or a function without its body."""
    for node in _tree(module).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _without_body(module, node)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and name in _targets(node):
            return eval(_compiled(ast.Expression(node.value), "eval"), _names_in(module, node.value))
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _imported(node.module, alias.name)
    if hasattr(builtins, name):
        return getattr(builtins, name)
    raise LookupError(f"{module} has no 'from ... import {name}' and no '{name} = ...' at its top level")


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    """Return the names that an assignment binds, with those of tuples left out."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _imported(module: str, name: str) -> Any:
    """Return the object that ``from module import name`` binds. Modules of i2vkit are read, all others are imported."""
    is_ours = module.split(".")[0] == _PACKAGE.name
    return _declared(module, name) if is_ours else getattr(import_module(module), name)


def _without_body(module: str, node: ast.FunctionDef) -> Callable:
    """Define the function with its docstring as its whole body."""
    node.body = node.body[:1] if ast.get_docstring(node) is not None else [ast.Pass()]
    node.decorator_list = []
    namespace = _names_in(module, node.args, node.returns)
    exec(_compiled(ast.Module([node], type_ignores=[]), "exec"), namespace)
    return namespace[node.name]


def _names_in(module: str, *nodes: ast.AST | None) -> dict[str, Any]:
    """Return the meaning in ``module`` of every name that the nodes use."""
    used = {part.id for node in nodes if node for part in ast.walk(node) if isinstance(part, ast.Name)}
    return {name: _declared(module, name) for name in sorted(used)}


def _compiled(tree: ast.Module | ast.Expression, mode: str) -> Any:
    return compile(ast.fix_missing_locations(tree), "<declaration>", mode, dont_inherit=True)


def _tree(module: str) -> ast.Module:
    """Return the syntax tree of a module of i2vkit."""
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))
