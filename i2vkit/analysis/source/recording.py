"""A record of a training step: which functions ran, which branches they took, and which attributes were constant.

Every function of ``i2vkit.models`` gets another code object for a while, in which tests and attributes of ``self``
report their values. The functions compute what they always do.
"""

from __future__ import annotations

import ast
import builtins
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

NAME = "__record__"  # under which functions find the record
PACKAGES = ("i2vkit.models", "i2vkit.structures")
Key = tuple[str, int, int, int, int]  # module, and begin and end of a piece of its source
_PLAIN = (bool, int, float, str, type(None))


@cache
def tree_of(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(source_of(module))


@cache
def source_of(module: str) -> str:
    """Return the source of a module."""
    return Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8")


def key_of(module: str, node: Any) -> Key:
    """Return the key of a piece of source."""
    return module, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


class Record:
    """The record of a training step.

    Everything is recorded by the class of ``self``, so that a method of a base class has one record for each subclass.

    Attributes:
        arguments: Arguments of the constructor by the identity of the module.
        built: The modules, so that no other takes the identity of one.
    """

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self._tests: dict[tuple[Key, type], set[bool]] = defaultdict(set)
        self._values: dict[tuple[Key, type], set[tuple[type, Any]] | None] = {}
        self._entered: dict[Key, set[type]] = defaultdict(set)
        self.arguments: dict[int, dict[str, Any]] = defaultdict(dict)
        self.built: list[Any] = []

    def forget(self) -> Record:
        """Return a copy of the record of tests and attributes, and begin a new one. Constructors stay."""
        before = Record()
        before._tests, before._values, before._entered = self._tests, self._values, self._entered
        before.arguments, before.built = self.arguments, self.built
        self._tests, self._values, self._entered = defaultdict(set), {}, defaultdict(set)
        return before

    def number(self, key: Key) -> int:
        """Return a number for a piece of source, by which instrumented code names it."""
        self._keys.append(key)
        return len(self._keys) - 1

    def test(self, number: int, value: Any, owner: Any) -> Any:
        """Note the truth of a test, and return its value."""
        self._tests[self._keys[number], type(owner)].add(bool(value))
        return value

    def value(self, number: int, value: Any, owner: Any) -> Any:
        """Note the value of an attribute, and return it."""
        place = self._keys[number], type(owner)
        known = self._values.setdefault(place, set())
        if known is not None:
            if is_plain(value):
                known.add((type(value), value))
            else:
                self._values[place] = None
        return value

    def enter(self, number: int, owner: Any) -> None:
        """Note that a function runs."""
        self._entered[self._keys[number]].add(type(owner))

    def construct(self, owner: Any, arguments: dict[str, Any]) -> None:
        """Note the arguments of a constructor. Those of a subclass come before those of its base class."""
        self.built.append(owner)
        self.arguments[id(owner)] = {**arguments, **self.arguments[id(owner)]}

    def truth(self, key: Key, owner: type) -> bool | None:
        """Return the truth that a test always had, or None if it had both."""
        seen = self._tests.get((key, owner), set())
        return next(iter(seen)) if len(seen) == 1 else None

    def tested(self, key: Key, owner: type) -> bool:
        """Return True if a test was ever made."""
        return (key, owner) in self._tests

    def constant(self, key: Key, owner: type) -> tuple[Any] | None:
        """Return the one plain value that an attribute always had, in a tuple, or None."""
        seen = self._values.get((key, owner))
        return (next(iter(seen))[1],) if seen is not None and len(seen) == 1 else None

    def ran(self, key: Key, owner: type | None = None) -> bool:
        """Return True if a function ran, for objects of class ``owner``."""
        owners = self._entered.get(key, set())
        return bool(owners) if owner is None else owner in owners


def is_plain(value: Any) -> bool:
    """Return True for numbers, texts and None, and for tuples of them."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return type(value) in _PLAIN


def root_of(node: ast.expr) -> str | None:
    """Return the name at which a chain of attributes begins."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def is_recorded_chain(node: ast.Attribute) -> bool:
    """Return True for attributes of ``self``, and for those of the model that losses read."""
    return root_of(node) == "self" or ast.unparse(node).startswith("context.model.")


class _Instrument(ast.NodeTransformer):
    """Adds the calls of a record to the functions of a module."""

    def __init__(self, module: str, record: Record):
        self.module, self.record = module, record
        self.owner: list[bool] = []  # for each function around: True if ``self`` is known in it

    def _call(self, method: str, node: Any, value: ast.expr) -> ast.Call:
        number = ast.Constant(self.record.number(key_of(self.module, node)))
        return self._on_record(method, [number, value, self._owner()], node)

    def _on_record(self, method: str, arguments: list[ast.expr], node: Any) -> ast.Call:
        function = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
        return _located(ast.Call(function, arguments, []), node)

    def _owner(self) -> ast.expr:
        return ast.Name("self", ast.Load()) if self.owner and self.owner[-1] else ast.Constant(None)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Add the call that says that the function runs. Decorators and defaults stay."""
        names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
        own = bool(names) and names[0] == "self"
        self.owner.append(own or bool(self.owner and self.owner[-1] and "self" not in names))
        node.body = [self.visit(statement) for statement in node.body]
        number = ast.Constant(self.record.number(key_of(self.module, node)))
        calls = [self._on_record("enter", [number, self._owner()], node)]
        if node.name == "__init__" and own:
            names += [argument.arg for argument in node.args.kwonlyargs]
            pairs = [(ast.Constant(name), ast.Name(name, ast.Load())) for name in names[1:]]
            given = ast.Dict([key for key, _ in pairs], [value for _, value in pairs])
            calls.append(self._on_record("construct", [self._owner(), given], node))
        start = 1 if ast.get_docstring(node) is not None else 0
        node.body[start:start] = [_located(ast.Expr(call), node) for call in calls]
        self.owner.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Go into the methods; a class inside of a function has no ``self`` from outside."""
        self.owner.append(False)
        node.body = [
            self.visit(statement) if isinstance(statement, ast.FunctionDef) else statement for statement in node.body
        ]
        self.owner.pop()
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """Report the truth of the test."""
        test = node.test
        self.generic_visit(node)
        if self.owner:
            node.test = self._call("test", test, node.test)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Report the truth of the test."""
        return self.visit_If(node)  # type: ignore[arg-type]  # it has a test too

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """Report the truth of the conditions."""
        tests = list(node.ifs)
        self.generic_visit(node)
        if self.owner:
            node.ifs = [self._call("test", test, new) for test, new in zip(tests, node.ifs, strict=True)]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Report the truth of every operand that is reached."""
        operands = list(node.values)
        self.generic_visit(node)
        if self.owner:
            node.values = [self._call("test", old, new) for old, new in zip(operands, node.values, strict=True)]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Leave the names of functions as they are."""
        if not (isinstance(node.func, ast.Attribute) and root_of(node.func)):
            node.func = self.visit(node.func)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Report the value of an attribute of ``self``."""
        if self.owner and isinstance(node.ctx, ast.Load) and is_recorded_chain(node):
            return self._call("value", node, node)
        return self.generic_visit(node)


def _located(node: Any, at: Any) -> Any:
    return ast.fix_missing_locations(ast.copy_location(node, at))


@contextmanager
def recording() -> Iterator[Record]:
    """Record everything that the functions of ``PACKAGES`` do inside."""
    record = Record()
    changed: list[tuple[FunctionType, CodeType]] = []
    modules = [
        name for name in sys.modules if name.startswith(PACKAGES) and getattr(sys.modules[name], "__file__", None)
    ]
    by_place: dict[tuple[str, str, int], CodeType] = {}
    for module in modules:
        tree = ast.parse(source_of(module))  # a tree of its own, as it is changed
        path = str(sys.modules[module].__file__)
        compiled = compile(_located(_Instrument(module, record).visit(tree), tree), path, "exec", dont_inherit=True)
        by_place |= {(path, code.co_qualname, code.co_firstlineno): code for code in _codes(compiled)}
    try:
        setattr(builtins, NAME, record)
        for function in [each for each in gc.get_objects() if type(each) is FunctionType]:
            old = function.__code__
            new = by_place.get((old.co_filename, old.co_qualname, old.co_firstlineno))
            if new is not None and new.co_freevars == old.co_freevars:
                changed.append((function, old))
                function.__code__ = new
        yield record
    finally:
        for function, old in changed:
            function.__code__ = old
        delattr(builtins, NAME)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield all code objects inside of one."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
