"""Classes and functions of a model as source text, each behind those that it uses."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import is_dataclass
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from i2vkit.analysis.source.constructors import (
    Call,
    Constructor,
    align,
    has_spectral_norm,
    plain_data,
    skeleton_of,
    torch_call,
    torch_kind,
    unify,
)
from i2vkit.analysis.source.recording import Record, key_of, source_of, tree_of
from i2vkit.analysis.source.slicing import Slicer, definition_of, docstring_lines, text_of_docstring
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState

_STATE = "GenerationState"
_INITIALISES = re.compile(r"\binit_\w+_\(|\bnn\.init\.|\.copy_\(")
# Names that a module has in any case.
_OWN = {"training", "forward", "state_dict", "parameters", "modules", "train", "eval"}


class ClassWriter:
    """Writes the classes of modules, and the functions and data classes that they use.

    Args:
        record: The record of a training step.
        construction: The record of the constructors.
        shapes: Shapes of inputs and outputs by the identity of the module.
        called: Identities of the modules that were called.

    Attributes:
        pieces: The source of every class and function by name, in reading order.
        imports: Lines of imports.
    """

    def __init__(self, record: Record, construction: Record, shapes: dict[int, str]):
        self.record, self.construction, self.shapes = record, construction, shapes
        self.pieces: dict[str, list[str]] = {}
        self.imports: set[str] = set()
        self._calls: dict[int, Call] = {}  # of modules that are written already
        self._modules: list[nn.Module] = []  # keeps them alive, so that identities stay unique
        self._in_constructor = False  # True while what a constructor uses is written

    def call(self, module: nn.Module) -> Call:
        """Return the constructor call of a module, whose class has been written by ``add``."""
        if id(module) not in self._calls:
            self.add([module])
        return self._calls[id(module)]

    def add(self, modules: Iterable[nn.Module]) -> None:
        """Write the classes of all modules inside of these, so that modules of one class share it."""
        everything = [inner for module in modules for inner in _bottom_up(module) if id(inner) not in self._calls]
        self._modules += everything
        kinds = list(dict.fromkeys(type(inner) for inner in everything if _is_ours(inner)))
        done: set[type] = set()
        for module in everything:
            if not _is_ours(module):
                self._calls[id(module)] = self._torch(module)
            elif type(module) in kinds and type(module) not in done:
                done.add(type(module))
                # All of this class, whose own parts come before them in this order or are of other classes.
                self._write_class([each for each in everything if type(each) is type(module)], everything)

    def _torch(self, module: nn.Module) -> Call:
        """Return the call of a layer of torch, or of a container."""
        comment = self.shapes.get(id(module), "")
        if isinstance(module, nn.Sequential | nn.ModuleList):
            return Call(f"nn.{type(module).__name__}", [self._inner(each) for each in module])
        if type(module).__module__.startswith("timm"):
            raise ConfigError("networks of timm are not written as source: train such a config with i2v train")
        made = torch_call(module, torch_kind(module))
        made.comment = comment
        return made

    def _inner(self, module: nn.Module) -> Call:
        if id(module) not in self._calls:
            self._calls[id(module)] = self._torch(module)
        return self._calls[id(module)]

    def need(self, name: str, module: str) -> None:
        """Write a class that other text uses by name."""
        self._provide(name, module)

    def add_object(self, value: Any) -> str:
        """Write the class of an object that is called by its methods alone, and return the name of the class."""
        return self._helper(value)

    def _write_class(self, modules: list[nn.Module], everything: list[nn.Module]) -> None:
        """Write one class, or several where modules of it are built differently, and their calls."""
        kind = type(modules[0])
        for module in modules:  # nested modules first
            for inner in module.children():
                for each in _bottom_up(inner):
                    if id(each) not in self._calls:
                        if _is_ours(each):
                            self._write_class([other for other in everything if type(other) is type(each)], everything)
                        else:
                            self._calls[id(each)] = self._torch(each)
        methods, used = self._methods(kind)
        if self._only_delegates(methods, kind):
            for module in modules:
                self._calls[id(module)] = torch_call(module, torch_kind(module))
                self._calls[id(module)].comment = self.shapes.get(id(module), "")
            return
        base = torch_kind(modules[0])
        bodies = [self._body(module, used) if base is nn.Module else {} for module in modules]
        for attribute in bodies[0]:
            align([body[attribute] for body in bodies if attribute in body])
        groups: dict[Any, list[int]] = {}
        for number, body in enumerate(bodies):
            groups.setdefault(skeleton_of(body), []).append(number)
        flat = ["Conv3d" not in repr(skeleton) for skeleton in groups]
        for count, numbers in enumerate(groups.values(), start=1):
            suffix = "3d" if flat[0] and not flat[count - 1] else str(count)
            name = self._unique(kind.__name__.lstrip("_") + (suffix if count > 1 else ""))
            given = [self.record.arguments.get(id(modules[number]), {}) for number in numbers]
            made = unify([bodies[number] for number in numbers], given)
            self.pieces[name] = self._class_lines(name, kind, base, made, methods, [modules[number] for number in numbers])
            for number, values in zip(numbers, made.given, strict=True):
                module = modules[number]
                call = torch_call(module, base) if base is not nn.Module else Call(name, values)
                call.name, call.comment = name, self.shapes.get(id(module), "")
                self._calls[id(module)] = call

    def _unique(self, name: str) -> str:
        while name in self.pieces:
            name += "_"
        return name

    def _methods(self, kind: type) -> tuple[dict[str, list[str]], set[str]]:
        """Return the methods of a class that ran, by name, and the attributes of ``self`` that they use."""
        methods: dict[str, list[str]] = {}
        for base in kind.__mro__:
            if not base.__module__.startswith("i2vkit"):
                continue
            for name, value in vars(base).items():
                function = _function_of(value)
                if function is None or name in methods or name in ("__init__", "train") or not self._ran(function, kind):
                    continue
                lines = self._function(function, kind, 4)
                if not _delegates(lines, name):
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
        return self.record.ran(key, kind) or (self.record.ran(key, type(None)) and _is_static(node))

    def _function(self, function: FunctionType, owner: type, indent: int, name: str | None = None) -> list[str]:
        """Return the lines of a function, and write what it uses."""
        module, node = definition_of(function)
        assert isinstance(node, ast.FunctionDef), "a function has the syntax tree of one"
        static = _is_static(node)
        record = self.construction if self._in_constructor else self.record
        lines = Slicer(module, record, type(None) if static else owner).function(node, indent, name)
        self.resolve("\n".join(lines), module)
        return lines

    @staticmethod
    def _only_delegates(methods: dict[str, list[str]], kind: type) -> bool:
        """Return True for a layer that does what its class in torch does."""
        return torch_kind_of(kind) is not nn.Module and not methods

    def _body(self, module: nn.Module, used: set[str]) -> dict[str, Any]:
        """Return what the constructor of a module assigns, by attribute."""
        body: dict[str, Any] = {}
        for name, child in module.named_children():
            if name in used or any(id(inner) in self.shapes for inner in child.modules()):
                body[name] = self._inner(child)
        for name, parameter in module.named_parameters(recurse=False):
            body[name] = Call("nn.Parameter", [Call("torch.zeros", list(parameter.shape))])
            self.imports.add("import torch")
        for name in sorted(used - set(body)):
            value = getattr(module, name, None)
            if isinstance(value, nn.Module) or callable(value) or value is None:
                continue
            if isinstance(value, Tensor):
                raise ConfigError(f"{type(module).__name__}.{name} is a buffer, which is not written as source")
            if plain_data(value):
                body[name] = value
            elif type(value).__module__.startswith("i2vkit"):
                body[name] = Call(self._helper(value))
        return body

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

    def _class_lines(
        self,
        name: str,
        kind: type,
        base: type,
        made: Constructor,
        methods: dict[str, list[str]],
        modules: list[nn.Module],
    ) -> list[str]:
        """Return the lines of the class of a module."""
        lines = [f"class {name}(nn.{base.__name__}):", *docstring_lines(text_of_docstring(kind), 4), ""]
        self.imports |= {"from torch import Tensor, nn"}
        if base is nn.Module:
            lines += [f"    def __init__({', '.join(['self', *made.parameters])}):", "        super().__init__()"]
            several = len(modules) > 1
            for attribute, value in made.body.items():
                if isinstance(value, Call):
                    lines += _without_comments(value, several).lines(8, f"self.{attribute} = ")
                else:
                    lines.append(f"        self.{attribute} = {getattr(value, 'name', None) or repr(value)}")
            lines += self._initial_weights(kind, modules[0], several)
            if any(has_spectral_norm(child) for module in modules for child in module.modules()):
                lines += self._spectral_norm(modules[0])
            if lines[-1] == "        super().__init__()":  # as torch does without it
                lines = lines[:-3]
            lines.append("")
        for each in methods.values():
            lines += [*each, ""]
        return lines[:-1]

    def _spectral_norm(self, module: nn.Module) -> list[str]:
        layers = [each for each in module.modules() if isinstance(each, nn.Conv2d | nn.Conv3d | nn.Linear)]
        if not all(map(has_spectral_norm, layers)):
            raise ConfigError("spectral norm on some layers of a network only is not written as source")
        self.imports.add("from torch.nn.utils.parametrizations import spectral_norm")
        return [
            "        for layer in list(self.modules()):",
            "            if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):",
            "                spectral_norm(layer)",
        ]

    def _initial_weights(self, kind: type, module: nn.Module, several: bool) -> list[str]:
        """Return the statements of the constructor that change initial weights."""
        found: list[str] = []
        for base in kind.__mro__:
            own = vars(base).get("__init__")
            if not base.__module__.startswith("i2vkit") or not isinstance(own, FunctionType):
                continue
            where, node = definition_of_init(base)
            names = {} if several else {key: value for key, value in self.record.arguments[id(module)].items() if plain_data(value)}
            slicer = Slicer(where, self.construction, kind, names)
            lines: list[str] = []
            for statement in node.body:
                text = ast.unparse(statement)
                if _INITIALISES.search(text) and not text.startswith("self."):
                    lines += slicer.statement(statement, 8)
            self._in_constructor = True
            self.resolve("\n".join(lines), where)
            self._in_constructor = False
            found = lines + found
        return found

    def resolve(self, text: str, module: str) -> None:
        """Write or import everything that a piece of source uses of its module."""
        try:
            tree = ast.parse(_dedented(text))
        except SyntaxError:
            tree = ast.parse("")
            for name in re.findall(r"\b[A-Za-z_]\w*\b", text):
                self._provide(name, module)
        for name in _free_names(tree):
            self._provide(name, module)

    def _provide(self, name: str, module: str) -> None:
        values = vars(sys.modules[module])
        if name in self.pieces or name not in values or hasattr(builtins, name) or name == _STATE:
            return
        value = values[name]
        if isinstance(value, FunctionType | type) and value.__module__.startswith("i2vkit"):
            self._write(name, value)
        elif isinstance(value, ModuleType | FunctionType | type) or callable(value):
            self.imports.add(_import_of(name, module))
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
                if (function := _function_of(each)) is not None:
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


def _bottom_up(module: nn.Module) -> list[nn.Module]:
    """Return all modules inside of one and itself, each behind its parts."""
    found = [inner for child in module.children() for inner in _bottom_up(child)] if not has_spectral_norm(module) else []
    return [*found, module]


def _is_ours(module: nn.Module) -> bool:
    return type(module).__module__.startswith("i2vkit")


def _function_of(value: Any) -> FunctionType | None:
    """Return the plain function behind a method, static method or property."""
    value = getattr(value, "__func__", value)
    value = value.fget if isinstance(value, property) else value
    value = inspect.unwrap(value) if callable(value) else value
    return value if isinstance(value, FunctionType) and value.__module__.startswith("i2vkit") else None


def _is_static(node: Any) -> bool:
    return any(ast.unparse(each) == "staticmethod" for each in node.decorator_list)


def _delegates(lines: list[str], name: str) -> bool:
    """Return True for a method that only calls the one of its base class, with the arguments that it got."""
    function: Any = ast.parse(_dedented("\n".join(lines))).body[0]
    *others, last = [each for each in function.body if not isinstance(each, ast.Expr)]
    given = ", ".join(each.arg for each in function.args.args[1:])
    changed = {node.id for each in others for node in ast.walk(each) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    only = all(isinstance(each, ast.Assign) for each in others) and not changed & set(given.split(", "))
    return only and ast.unparse(last) == f"return super().{name}({given})"


def _without_comments(call: Call, several: bool) -> Call:
    if not several:
        return call
    plain = call.with_leaves(call.leaves())
    plain.comment = ""
    plain.arguments = [_without_comments(each, True) if isinstance(each, Call) else each for each in plain.arguments]
    return plain


def _free_names(tree: ast.AST) -> list[str]:
    """Return all names that are read, in their order."""
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(names))


def _dedented(text: str) -> str:
    lines = text.split("\n")
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[depth:] for line in lines)


def _import_of(name: str, module: str) -> str:
    """Return the import by which a module has a name."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    shown = ast.unparse(ast.alias(alias.name, alias.asname))
                    return f"import {shown}" if isinstance(node, ast.Import) else f"from {node.module} import {shown}"
    raise LookupError(f"{name} in {module}, {source_of(module)[:40]!r}")


__all__ = ["ClassWriter", "GenerationState"]
