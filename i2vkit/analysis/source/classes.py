"""Classes of modules as source text, each behind those that it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from copy import deepcopy
from types import FunctionType
from typing import Any

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
    without_comments,
)
from i2vkit.analysis.source.definitions import DefinitionWriter
from i2vkit.analysis.source.lookups import (
    bottom_up,
    definition_of_init,
    docstring_lines,
    is_ours,
    text_of_docstring,
    torch_kind_of,
)
from i2vkit.analysis.source.recording import Record
from i2vkit.analysis.source.slicing import Slicer
from i2vkit.errors import ConfigError

_INITIALISES = re.compile(r"\binit_\w+_\(|\bnn\.init\.|\.copy_\(")


class ClassWriter(DefinitionWriter):
    """Writes the classes of modules, and the functions and data classes that they use.

    Args:
        record: The record of a training step.
        construction: The record of the constructors.
        shapes: Shapes of inputs and outputs by the identity of the module.
    """

    def __init__(self, record: Record, construction: Record, shapes: dict[int, str]):
        super().__init__(record, construction)
        self.shapes = shapes
        self._calls: dict[int, Call] = {}  # of modules that are written already
        self._modules: list[nn.Module] = []  # keeps them alive, so that identities stay unique

    def call(self, module: nn.Module) -> Call:
        """Return the constructor call of a module, whose class has been written by ``add``."""
        if id(module) not in self._calls:
            self.add([module])
        return self._calls[id(module)]

    def add(self, modules: Iterable[nn.Module]) -> None:
        """Write the classes of all modules inside of these, so that modules of one class share it."""
        everything = [inner for module in modules for inner in bottom_up(module) if id(inner) not in self._calls]
        self._modules += everything
        kinds = list(dict.fromkeys(type(inner) for inner in everything if is_ours(inner)))
        done: set[type] = set()
        for module in everything:
            if not is_ours(module):
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

    def _write_class(self, modules: list[nn.Module], everything: list[nn.Module]) -> None:
        """Write one class, or several where modules of it are built differently, and their calls."""
        kind = type(modules[0])
        for module in modules:  # nested modules first
            for inner in module.children():
                for each in bottom_up(inner):
                    if id(each) not in self._calls:
                        if is_ours(each):
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
        bodies = self._aligned(bodies, [self.record.arguments.get(id(module), {}) for module in modules])
        groups: dict[Any, list[int]] = {}
        for number, body in enumerate(bodies):
            groups.setdefault(skeleton_of(body), []).append(number)
        flat = ["Conv3d" not in repr(skeleton) for skeleton in groups]
        for count, numbers in enumerate(groups.values(), start=1):
            suffix = "3d" if flat[0] and not flat[count - 1] else str(count)
            name = self._unique(kind.__name__.lstrip("_") + (suffix if count > 1 else ""))
            given = [self.record.arguments.get(id(modules[number]), {}) for number in numbers]
            made = unify([bodies[number] for number in numbers], given)
            self.pieces[name] = self._class_lines(
                name, kind, base, made, methods, [modules[number] for number in numbers]
            )
            for number, values in zip(numbers, made.given, strict=True):
                module = modules[number]
                call = torch_call(module, base) if base is not nn.Module else Call(name, values)
                call.name, call.comment = name, self.shapes.get(id(module), "")
                self._calls[id(module)] = call

    @staticmethod
    def _aligned(bodies: list[dict[str, Any]], arguments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return bodies whose layers name the same arguments, if one constructor then has arguments with names."""
        copies = deepcopy(bodies)
        for attribute in copies[0]:
            align([body[attribute] for body in copies if attribute in body])
        if len(set(map(skeleton_of, copies))) == 1:
            parameters = unify(copies, arguments).parameters
            if not any(parameter.startswith("size_") for parameter in parameters):
                return copies
        return bodies

    def _unique(self, name: str) -> str:
        while name in self.pieces:
            name += "_"
        return name

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
                    lines += without_comments(value, several).lines(8, f"self.{attribute} = ")
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
            try:
                where, node = definition_of_init(base)
            except LookupError:  # the registry's check around an inherited constructor
                continue
            names = (
                {}
                if several
                else {key: value for key, value in self.record.arguments[id(module)].items() if plain_data(value)}
            )
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
