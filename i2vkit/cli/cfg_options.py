"""The option ``--cfg-options KEY=VALUE ...``: mmengine's ``DictAction`` without importing mmengine and torch."""

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

_CLOSING = {"(": ")", "[": "]"}
_CONSTANTS = {"true": True, "false": False}


class CfgOptions(Action):
    """An action that collects ``KEY=VALUE`` words in a dict.

    A word without a key, or with brackets that do not close, is a usage error. The option may be given several times. A
    key that is given twice keeps its last value.
    """

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the words to those that the option has collected so far."""
        options = dict(getattr(namespace, self.dest) or {})
        for word in values or ():
            key, equals, value = word.partition("=")
            if not (key and equals):
                parser.error(f"{option_string} takes key=value pairs, not '{word}'")
            try:
                options[key] = parse_value(value)
            except ValueError as error:
                parser.error(f"{option_string} {word}: {error}")
        setattr(namespace, self.dest, options)


def parse_value(text: str) -> Any:
    """Return the value of a word of the command line.

    Numbers, ``true``, ``false`` (in any case) and ``None`` become themselves. ``1,2`` and ``[1,2]`` become a list,
    ``(1,2)`` a tuple, and these may contain each other. Anything else stays a string, without the quotes around it.
    Spaces are dropped everywhere, as in mmengine.

    Raises:
        ValueError: Brackets around or beside a comma do not close.

    Examples:
        >>> parse_value("[(1,2.5),adam,None]")
        [(1, 2.5), 'adam', None]
    """
    text = text.strip("'\"").replace(" ", "")
    if _is_enclosed(text):
        sequence = tuple if text[0] == "(" else list
        return sequence(parse_value(item) for item in _split(text[1:-1]))
    items = _split(text) if "," in text else [text]
    if items == [text]:  # no comma, or only commas inside brackets that belong to a word, as in Normalize(0,1)
        return _scalar(text)
    return [parse_value(item) for item in items]


def _scalar(text: str) -> Any:
    """Return an int, a float, a bool or None if ``text`` is one, and otherwise ``text``."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return None if text == "None" else _CONSTANTS.get(text.lower(), text)


def _split(text: str) -> list[str]:
    """Split at the commas outside of all brackets.

    An empty text is an empty list, and a comma at the end adds no item.
    """
    items, depth_of = [""], _depths(text)
    for character, depth in zip(text, depth_of, strict=True):
        if character == "," and not depth:
            items.append("")
        else:
            items[-1] += character
    return items if items[-1] else items[:-1]


def _is_enclosed(text: str) -> bool:
    """Return True if the first bracket of ``text`` closes with its last character."""
    if len(text) < 2 or _CLOSING.get(text[0]) != text[-1]:
        return False
    return all(_depths(text)[:-1])


def _depths(text: str) -> list[int]:
    """Return for each character the number of brackets that are open behind it.

    Raises:
        ValueError: A bracket closes that is not open, or one stays open.
    """
    open_brackets: list[str] = []
    depths = []
    for character in text:
        if character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif character in _CLOSING.values() and (not open_brackets or open_brackets.pop() != character):
            raise ValueError(f"'{character}' in '{text}' closes no bracket")
        depths.append(len(open_brackets))
    if open_brackets:
        raise ValueError(f"'{open_brackets[-1]}' is missing in '{text}'")
    return depths
