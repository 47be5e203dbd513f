"""Constructor calls of modules as text, and one constructor for several modules of a class."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from i2vkit.analysis.source.recording import is_plain


@dataclass
class Call:
    """A call, whose arguments are calls or plain values; a plain value may differ between modules of a class.

    Attributes:
        name: The function, such as "nn.Conv2d".
        arguments: Positional arguments.
        named: Keyword arguments.
        comment: Shapes of input and output.
    """

    name: str
    arguments: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    comment: str = ""

    def skeleton(self) -> Any:
        """Return what two calls must have in common to be made by one constructor."""
        inner = [each.skeleton() if isinstance(each, Call) else None for each in self.arguments]
        return (
            self.name,
            tuple(inner),
            tuple((key, isinstance(value, Call) and value.skeleton()) for key, value in self.named.items()),
        )

    def leaves(self) -> list[Any]:
        """Return all plain values, in a fixed order."""
        found: list[Any] = []
        for each in (*self.arguments, *self.named.values()):
            found += each.leaves() if isinstance(each, Call) else [each]
        return found

    def with_leaves(self, leaves: list[Any]) -> Call:
        """Return the call with other plain values, which are taken from the front of ``leaves``."""
        arguments = [each.with_leaves(leaves) if isinstance(each, Call) else leaves.pop(0) for each in self.arguments]
        named = {
            key: value.with_leaves(leaves) if isinstance(value, Call) else leaves.pop(0)
            for key, value in self.named.items()
        }
        return Call(self.name, arguments, named, self.comment)

    def lines(self, indent: int, prefix: str = "", suffix: str = "") -> list[str]:
        """Return the call as lines, one for each module inside of a container."""
        pad = " " * indent
        comment = f"  # {self.comment}" if self.comment else ""
        modules = [each for each in self.arguments if isinstance(each, Call)]
        if not modules or self.name not in ("nn.ModuleList", "nn.Sequential"):
            line = f"{pad}{prefix}{self.text()}{suffix}"
            return [line + comment if len(line + comment) <= 120 else line]
        bracket = ("[", "]") if self.name == "nn.ModuleList" else ("", "")
        lines = [f"{pad}{prefix}{self.name}({bracket[0]}"]
        for each in modules:
            lines += each.lines(indent + 4, suffix=",")
        return [*lines, f"{pad}{bracket[1]}){suffix}"]

    def text(self) -> str:
        """Return the call on one line."""
        parts = [_text(each) for each in self.arguments] + [
            f"{key}={_text(value)}" for key, value in self.named.items()
        ]
        if self.name == "nn.ModuleList":
            return f"nn.ModuleList([{', '.join(parts)}])"
        return f"{self.name}({', '.join(parts)})"


@dataclass(frozen=True)
class Parameter:
    """The name of an argument of a constructor, which stands where modules of a class differ."""

    name: str


def _text(value: Any) -> str:
    if isinstance(value, Call):
        return value.text()
    return value.name if isinstance(value, Parameter) else repr(value)


def torch_call(module: nn.Module, kind: type[nn.Module]) -> Call:
    """Return the constructor call of a layer of torch.

    Args:
        module: The layer.
        kind: Its class in torch, without parametrisations and subclasses.

    >>> torch_call(nn.Conv2d(3, 8, (4, 4), stride=(2, 2), padding=(1, 1)), nn.Conv2d).text()
    'nn.Conv2d(3, 8, 4, stride=2, padding=1)'
    """
    tree: Any = ast.parse(f"f({module.extra_repr()})", mode="eval").body
    arguments = [_collapsed(ast.literal_eval(each)) for each in tree.args]
    named = {each.arg: _collapsed(ast.literal_eval(each.value)) for each in tree.keywords}
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    if "kernel_size" in named:
        arguments.append(named.pop("kernel_size"))
    named = {key: value for key, value in named.items() if key not in defaults or defaults[key] != value}
    if kind in (nn.Linear,):  # its representation names everything
        arguments = [named.pop("in_features"), named.pop("out_features")]
    if kind is nn.LeakyReLU:
        arguments = [named.pop("negative_slope", 0.01)]
    return Call(f"nn.{kind.__name__}", arguments, named)


def _collapsed(value: Any) -> Any:
    """Return one number for a tuple of equal ones."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def torch_kind(module: nn.Module) -> type[nn.Module]:
    """Return the class of torch that a module has, or the nearest one among its base classes."""
    kinds: list[type] = list(type(module).__mro__)
    return next(kind for kind in kinds if kind.__module__.startswith("torch.nn.modules"))


def has_spectral_norm(module: nn.Module) -> bool:
    """Return True for a layer with spectral norm."""
    return parametrize.is_parametrized(module)


@dataclass
class Constructor:
    """One ``__init__`` for several modules of a class.

    Attributes:
        body: What it assigns, by attribute.
        parameters: The names of its arguments.
        given: The values of these arguments for every module.
    """

    body: dict[str, Any]
    parameters: list[str]
    given: list[list[Any]]


def unify(bodies: Sequence[dict[str, Any]], arguments: Sequence[dict[str, Any]]) -> Constructor:
    """Return one constructor for bodies of one skeleton, with an argument for every value in which they differ.

    Args:
        bodies: For every module, what its constructor assigns, by attribute.
        arguments: The arguments of its original constructor, from which names are taken.

    >>> made = unify([{"size": 2, "odd": 1}, {"size": 3, "odd": 1}], [{"width": 2}, {"width": 3}])
    >>> made.parameters, made.given, made.body
    (['width'], [[2], [3]], {'size': Parameter(name='width'), 'odd': 1})
    """
    columns = list(zip(*(_leaves(body) for body in bodies), strict=True))
    names: dict[tuple, str] = {}
    replaced: list[Any] = []
    for column in columns:
        if len({(type(value), repr(value)) for value in column}) == 1:
            replaced.append(column[0])
            continue
        key = tuple(map(repr, column))
        if key not in names:
            fitting = [name for name in arguments[0] if name not in names.values() and _fits(name, arguments, key)]
            names[key] = fitting[0] if fitting else f"size_{len(names) + 1}"
        replaced.append(Parameter(names[key]))
    values = {key: column for column in columns for key in [tuple(map(repr, column))] if key in names}
    order = sorted(names, key=lambda key: _place(names[key], arguments[0]))
    given = [[values[key][number] for key in order] for number in range(len(bodies))]
    return Constructor(_with_leaves(bodies[0], replaced), [names[key] for key in order], given)


def _fits(name: str, arguments: Sequence[dict[str, Any]], values: Sequence[str]) -> bool:
    """Return True if an argument of the original constructor had these values, as text, for all modules."""
    return all(repr(_collapsed(given.get(name))) == text for given, text in zip(arguments, values, strict=True))


def _place(name: str, arguments: dict[str, Any]) -> int:
    known = list(arguments)
    return known.index(name) if name in known else len(known)


def _leaves(body: dict[str, Any]) -> list[Any]:
    return [leaf for value in body.values() for leaf in (value.leaves() if isinstance(value, Call) else [value])]


def _with_leaves(body: dict[str, Any], leaves: list[Any]) -> dict[str, Any]:
    rest = list(leaves)
    return {key: value.with_leaves(rest) if isinstance(value, Call) else rest.pop(0) for key, value in body.items()}


def skeleton_of(body: dict[str, Any]) -> Any:
    """Return what two bodies must have in common to be made by one constructor."""
    return tuple((key, value.skeleton() if isinstance(value, Call) else None) for key, value in body.items())


def align(calls: Sequence[Any]) -> None:
    """Name the same arguments in calls of one layer of torch, with defaults where a call leaves one out, in place."""
    if (
        not all(isinstance(call, Call) for call in calls)
        or len({(call.name, len(call.arguments)) for call in calls}) != 1
    ):
        return
    for inner in zip(*(call.arguments for call in calls), strict=True):
        align(inner)
    kind = getattr(nn, calls[0].name.removeprefix("nn."), None)
    if kind is None or not calls[0].name.startswith("nn."):
        return
    parameters = inspect.signature(kind).parameters
    keys = [key for key in parameters if any(key in call.named for call in calls)]
    if {key for call in calls for key in call.named} - set(keys):  # torch does not tell their defaults
        return
    for call in calls:
        call.named = {key: call.named.get(key, parameters[key].default) for key in keys}


def plain_data(value: Any) -> bool:
    """Return True for values that a constructor can assign as literals: numbers, texts, and lists and dicts of them."""
    if isinstance(value, list | tuple):
        return all(map(plain_data, value))
    if isinstance(value, dict):
        return all(plain_data(each) for pair in value.items() for each in pair)
    return is_plain(value)


def without_comments(call: Call, several: bool) -> Call:
    """Return the call, without its shapes if it serves several modules."""
    if not several:
        return call
    plain = call.with_leaves(call.leaves())
    plain.comment = ""
    plain.arguments = [without_comments(each, True) if isinstance(each, Call) else each for each in plain.arguments]
    return plain
