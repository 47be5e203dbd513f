import inspect
from typing import get_type_hints

import pytest

from i2vkit.cli.declarations import declared_functions
from i2vkit.preparation import PREPARERS
from i2vkit.rendering import SYNTHESIZERS


@pytest.mark.parametrize(
    ("package", "table", "functions"),
    [("i2vkit.preparation", "PREPARERS", PREPARERS), ("i2vkit.rendering", "SYNTHESIZERS", SYNTHESIZERS)],
)
def test_declarations_are_those_of_the_functions(package, table, functions):
    declared = declared_functions(package, table)
    assert list(declared) == list(functions)
    for name, function in functions.items():
        assert declared[name].__name__ == function.__name__
        assert inspect.getdoc(declared[name]) == inspect.getdoc(function)
        assert get_type_hints(declared[name]) == get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        expected = [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]
        found = inspect.signature(declared[name]).parameters.values()
        assert [(parameter.name, parameter.kind, parameter.default) for parameter in found] == expected


def test_a_declaration_does_nothing():
    prepare = declared_functions("i2vkit.preparation", "PREPARERS")["mug"]
    assert prepare("no/such/folder", "nor/this") is None


def test_a_name_that_is_nowhere_is_said():
    with pytest.raises(LookupError, match=r"i2vkit\.rendering neither imports nor assigns 'RENDERERS'"):
        declared_functions("i2vkit.rendering", "RENDERERS")
