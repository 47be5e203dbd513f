"""The base class of all interfaces, and the checks that a part fulfils the interface of its role.

``i2vkit/registry.py`` names the interface of every role, one abstract class each. A part inherits from it. A class or
function from outside need not inherit, if it defines everything that the interface has.
"""

import inspect
from abc import ABC
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from i2vkit.errors import ConfigError

# Members that belong to the interfaces themselves, not to the parts.
_OWN = frozenset({"attributes", "class_attributes", "optional", "class_problem", "problem"})


class Interface(ABC):  # noqa: B024  its subclasses have the abstract methods
    """Base class of the interfaces.

    Attributes:
        attributes: Names that a built part must have beside the members of the interface, for instance ``spec``. A
            part may define them in its class or in its constructor.
        class_attributes: Names that the class of a part must have, since the builder reads them before it builds.
        optional: Members that a part which does not inherit may leave out. The builder then uses their defaults.

    Examples:
        >>> from abc import abstractmethod
        >>> from i2vkit.interfaces import Interface, check_class
        >>> class Smoother(Interface):
        ...     @abstractmethod
        ...     def forward(self, motion):
        ...         ...
        >>> class Box(Smoother):
        ...     pass
        >>> check_class("smoother", Smoother, Box)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        i2vkit.errors.ConfigError: smoother 'Box' does not define forward(motion): see ...
    """

    attributes: ClassVar[tuple[str, ...]] = ()
    class_attributes: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def class_problem(cls) -> str:
        """Return why a class cannot be a part of this role, or "". An interface may override it."""
        return ""

    def problem(self) -> str:
        """Return why an object cannot be a part of this role, or "". An interface may override it."""
        return ""


def check_class(role: str, interface: type, part: Callable) -> None:
    """Raise ``ConfigError`` unless the class ``part`` fulfils the interface of its role.

    A subclass must define the abstract methods. Any other class must define every public member of the interface except
    the optional ones. A function passes, since only its result can be checked.

    Args:
        role: Name of the role, as in ``ROLES``.
        interface: Base class of the role.
        part: The class that is registered, or a function that builds a part.

    Raises:
        ConfigError: The class lacks methods or attributes; the message names all of them.
    """
    if not inspect.isclass(part):
        return
    inherits = issubclass(part, interface)
    members = _abstract_methods(interface) if inherits else _members(interface)
    _refuse_missing(role, interface, part, part.__name__, (*members, *getattr(interface, "class_attributes", ())))
    if inherits and issubclass(part, Interface) and (problem := part.class_problem()):
        raise ConfigError(f"{role} '{part.__name__}' {problem}")


def check_built(role: str, interface: type, built: Any) -> None:
    """Raise ``ConfigError`` unless the object ``built`` fulfils the interface of its role.

    Args:
        role: Name of the role, as in ``ROLES``.
        interface: Base class of the role.
        built: The object that the constructor, or a function in its place, has returned.

    Raises:
        ConfigError: The object lacks methods or attributes; the message names all of them.
    """
    name = type(built).__name__
    members = () if isinstance(built, interface) else _members(interface)
    _refuse_missing(role, interface, built, name, (*members, *getattr(interface, "attributes", ())))
    if issubclass(interface, Interface) and (problem := interface.problem(built)):
        raise ConfigError(f"{role} '{name}' {problem}")


def _refuse_missing(role: str, interface: type, part: Any, name: str, members: tuple[str, ...]) -> None:
    """Raise ``ConfigError`` with all of ``members`` that ``part`` does not define."""
    missing = [member for member in members if not _defines(part, member)]
    if missing:
        listed = ", ".join(_with_signature(interface, member) for member in missing)
        raise ConfigError(
            f"{role} '{name}' does not define {listed}: see {interface.__module__}.{interface.__name__}, from which it "
            f"should inherit"
        )


def _defines(part: Any, member: str) -> bool:
    """Return True if ``part``, a class or an object, defines ``member``."""
    # Abstract methods do not count.
    found = getattr(part, member, None)
    if found is None or getattr(found, "__isabstractmethod__", False):
        # A part may define a member as None.
        return found is None and hasattr(part, member)
    # A torch module without a forward pass inherits a function that only raises.
    return getattr(found, "__name__", "") != "_forward_unimplemented"


@cache
def _members(interface: type) -> tuple[str, ...]:
    """Return the public members that ``interface`` and its bases in i2vkit define."""
    # Bases from outside, such as torch's Module, have many members that no part needs to define.
    levels = [level for level in interface.__mro__ if level.__module__.split(".")[0] == "i2vkit"]
    names = dict.fromkeys(name for level in levels for name in vars(level))
    left_out = {*_OWN, *getattr(interface, "optional", ())}
    public = [name for name in names if not name.startswith("_") and name not in left_out]
    called = ["__call__"] if "__call__" in names else []
    return (*public, *called)


@cache
def _abstract_methods(interface: type) -> tuple[str, ...]:
    """Return the names of the methods that a subclass of ``interface`` must define."""
    methods = {name: getattr(interface, name, None) for name in dir(interface)}
    return tuple(name for name, method in methods.items() if getattr(method, "__isabstractmethod__", False))


def _with_signature(interface: type, member: str) -> str:
    """Return ``member`` as one would write it: "forward(clip, state)" of a method, "sample_type" of an attribute."""
    found = inspect.getattr_static(interface, member, None)
    if not inspect.isfunction(found):
        return member
    names = [name for name in inspect.signature(found).parameters if name != "self"]
    return f"{member}({', '.join(names)})"
