import inspect
from typing import Literal, get_type_hints

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
    with pytest.raises(LookupError, match=r"i2vkit\.rendering has no 'from \.\.\. import RENDERERS'"):
        declared_functions("i2vkit.rendering", "RENDERERS")


def test_names_are_followed_through_imports_without_running_the_modules(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setattr("i2vkit.cli.declarations._PACKAGE", folder)
    (folder / "__init__.py").write_text(
        "from collections.abc import Callable\n"
        "from elsewhere.work import draw as paint\n"
        "TABLE: dict[str, Callable] = {'draw': paint}\n"
    )
    (folder / "work.py").write_text(
        "from __future__ import annotations\n"
        "from elsewhere.types import Side as Edge\n"
        "raise RuntimeError('this module was run')\n"
        "SIZE = (64, 48)\n"
        "@decorated\n"
        "def draw(edge: Edge, size: tuple[int, int] = SIZE, *, name: str | None = None) -> str:\n"
        "    return edge\n"
    )
    (folder / "types.py").write_text("from typing import Literal\nSide = Literal['left', 'right']\n")
    draw = declared_functions("elsewhere", "TABLE")["draw"]
    hints = {"edge": Literal["left", "right"], "size": tuple[int, int], "name": str | None, "return": str}
    assert get_type_hints(draw) == hints
    assert [p.default for p in inspect.signature(draw).parameters.values()] == [inspect.Parameter.empty, (64, 48), None]
    assert draw("left") is None and draw.__doc__ is None
