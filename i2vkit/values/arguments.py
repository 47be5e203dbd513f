"""Checks of the arguments of functions and classes, by their annotations and by the ranges of their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache, wraps
from types import NoneType
from typing import Any, ParamSpec, TypeVar, get_args, get_type_hints

from i2vkit.errors import ConfigError
from i2vkit.utils.named import NAMED_EXAMPLES, named_entries
from i2vkit.values.hints import describe, fits, takes_numbers
from i2vkit.values.ranges import Range, range_of

# Texts that must not be empty: an empty path would mean the current folder.
NOT_EMPTY = ("root", "checkpoint", "load_from", "work_dir", "path", "folder")
_LONGEST = 60  # characters of a value in a message
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@cache
def hints_of(part: Callable) -> dict[str, Any]:
    """Return the annotations of the arguments of a class or function, as types.

    Those that cannot be resolved are left out.
    """
    levels = [level for level in reversed(part.__mro__) if level is not object] if inspect.isclass(part) else [part]
    hints: dict[str, Any] = {}
    for level in levels:
        constructor = vars(level).get("__init__") if inspect.isclass(level) else level
        if inspect.isroutine(constructor):
            hints |= _resolved(constructor)
    hints.pop("return", None)
    return hints


def _resolved(function: Any) -> dict[str, Any]:
    """Return the annotations of one function that can be resolved."""
    try:
        return get_type_hints(function)
    except (NameError, AttributeError, TypeError):  # a name that is imported for type checkers only
        function = inspect.unwrap(function)
        names = getattr(function, "__globals__", {})
        found = {}
        for name, hint in getattr(function, "__annotations__", {}).items():
            try:
                found[name] = eval(hint, names) if isinstance(hint, str) else hint
            except (NameError, AttributeError, TypeError):
                continue
        return found


def check_arguments(part: Callable, values: Mapping[str, Any], where: str) -> None:
    """Raise ``ConfigError`` for the first of ``values`` that ``part`` cannot take.

    Args:
        part: The class or function.
        values: Values by the names of its arguments. Names that it does not have are left to others.
        where: The place that the message names, for instance "model.generator.decoder".
    """
    hints, defaults = hints_of(part), _defaults(part)
    for name, value in values.items():
        if name in defaults and type(value) is type(defaults[name]) and _same(value, defaults[name]):
            continue  # a default may be a mark of its own, such as -1
        hint = float if isinstance(defaults.get(name), float) else inspect.Parameter.empty
        check_argument(name, value, hints.get(name, hint), where)


@cache
def _defaults(part: Callable) -> dict[str, Any]:
    """Return the defaults of the arguments of a class or function, with those of its parents."""
    levels = [vars(level).get("__init__") for level in reversed(part.__mro__)] if inspect.isclass(part) else [part]
    found: dict[str, Any] = {}
    for level in levels:
        if inspect.isfunction(level):
            parameters = inspect.signature(level).parameters.values()
            found |= {p.name: p.default for p in parameters if p.default is not p.empty}
    return found


def _same(value: Any, default: Any) -> bool:
    try:
        return bool(value == default)
    except (TypeError, ValueError):  # arrays
        return False


def check_argument(name: str, value: Any, hint: Any, where: str) -> None:
    """Raise ``ConfigError`` if ``value`` is no value for an argument.

    Args:
        name: Name of the argument, by which ``range_of`` finds its range.
        value: The value.
        hint: Its annotation, or ``inspect.Parameter.empty``.
        where: The place that the message names.
    """
    if _is_lazy(value):  # an import of a config, which nothing has resolved yet
        return
    known = hint is not inspect.Parameter.empty
    numbers = range_of(name)
    if numbers is not None and known and not _means_the_same(numbers, hint):
        numbers = None
    if name in NAMED_EXAMPLES and isinstance(value, list | tuple):
        named_entries(value, name, _at(where, name))  # raises, and shows how to write it
    if known and not fits(value, hint):
        more = f". Write [{value!r}]" if isinstance(value, str) and fits([value], hint) else ""
        raise ConfigError(f"{_at(where, name)} is {_shown(value)}, but takes {_expected(hint, numbers)}{more}")
    if name in NOT_EMPTY and isinstance(value, str) and not value.strip():
        raise ConfigError(f"{_at(where, name)} is empty, but takes the path of a file or folder")
    if numbers is None:
        numbers = Range() if known and takes_numbers(hint) else None  # no infinity and no NaN anywhere
    if numbers is not None:
        _check_range(name, value, numbers, hint if known else None, where)


def _means_the_same(numbers: Range, hint: Any) -> bool:
    """Return True if an argument with the annotation ``hint`` can be the one for which the range stands.

    The argument of a class from outside may have the name, and another meaning.
    """
    return takes_numbers(hint) and not (numbers.whole and fits(0.5, hint))


def _check_range(name: str, value: Any, numbers: Range, hint: Any, where: str) -> None:
    """Raise ``ConfigError`` for the first number in ``value`` outside of ``numbers``."""
    if isinstance(value, list | tuple) and not value and numbers.filled:
        raise ConfigError(f"{_at(where, name)} is empty, but takes at least one number, {numbers.text}")
    may_be_none = hint is None or NoneType in get_args(hint)
    for place, number in _numbers_in(value):
        if number is None and may_be_none:
            continue
        if hint is not None and not isinstance(number, int | float):
            continue  # the annotation allows it
        if isinstance(number, bool) and hint is not None and fits(number, hint):
            continue
        if not numbers.holds(number):
            raise ConfigError(f"{_at(where, name)}{place} is {_shown(number)}, but takes {numbers.text}")


def _numbers_in(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the items of nested lists with their places, "" for a value that is no list."""
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _numbers_in(item, f"{place}.{index}")
    elif not isinstance(value, Mapping):
        yield place, value


def refuse_values(where: str = "", **values: tuple[Any, Any]) -> None:
    """Check arguments of a function of the Python API: each is (value, annotation), by name.

    Raises:
        ConfigError: A value is of another type or outside of the range of its name.

    Examples:
        >>> refuse_values(seed=(-1, int | None))
        Traceback (most recent call last):
        i2vkit.errors.ConfigError: seed is -1, but takes a whole number from 0 to 4,294,967,295
    """
    for name, (value, hint) in values.items():
        check_argument(name, value, hint, where)


def checks_arguments(*left_out: str) -> Callable[[Callable[_Given, _Result]], Callable[_Given, _Result]]:
    """Return a decorator of a function of the Python API that checks its arguments before it runs.

    They are compared with their annotations and with the ranges of their names, as ``check_arguments`` does.

    Args:
        *left_out: Arguments that the function checks itself, because a wrong one has a better message.

    Examples:
        >>> @checks_arguments()
        ... def write(path: str, seed: int = 0): ...
        >>> write(3)
        Traceback (most recent call last):
        i2vkit.errors.ConfigError: path is 3, but takes a text
    """

    def decorated(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
        signature = inspect.signature(function)

        @wraps(function)
        def checked(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:  # Python's own message names the function
                return function(*args, **kwargs)
            checked_ones = {name: value for name, value in given.items() if name not in ("self", "cls", *left_out)}
            check_arguments(function, checked_ones, "")
            return function(*args, **kwargs)

        return checked

    return decorated


def check_keys(entry: Mapping[str, Any], hints: Mapping[str, Any], where: str) -> None:
    """Check the values of an object in a file.

    Args:
        entry: The object. Keys that it lacks are not missed.
        hints: The annotation of each key. Other keys are left to others.
        where: The file, and the place in it.

    Raises:
        ConfigError: A value is of another type or outside of the range of its name.
    """
    for name, value in entry.items():
        if name in hints:
            check_argument(name, value, hints[name], where)


def _expected(hint: Any, numbers: Range | None) -> str:
    """Return the values that an argument takes, in words."""
    words = describe(hint)
    if numbers is None:
        return words
    for plain in ("a whole number", "a number"):
        if words == plain or words.startswith(f"{plain} or"):
            return words.replace(plain, numbers.text, 1)
    return words


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _is_lazy(value: Any) -> bool:
    return type(value).__module__ == "mmengine.config.lazy"
