"""The source of functions without what a training step did not do.

Branches that were never taken, checks and assertions are left out. Attributes that always had one plain value are
replaced by it. Everything else stays as it is written, with its comments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from i2vkit.analysis.source.lookups import docstring_lines
from i2vkit.analysis.source.recording import Record, is_recorded_chain, key_of, source_of

_TYPES = {"Tensor", "int", "float", "bool", "str", "tuple", "list", "dict", "None", "Content", "Motion", "VideoBatch"}
# Methods of a generation state, whose arguments for parts and names a file of one training step does not need.
_DRAWS = {"normal": 2, "uniform": 2, "normal_per_frame": 2}


@dataclass
class Edit:
    """A replacement of a piece of source, by its places (line from 1, column from 0 in characters)."""

    begin: tuple[int, int]
    end: tuple[int, int]
    text: str


class Slicer:
    """Renders functions of one module as a record says that they ran.

    Args:
        module: Name of the module.
        record: The record.
        owner: The class of ``self``, or ``type(None)`` for functions.
        names: Values of local names that become literals, for instance arguments of a constructor.
    """

    def __init__(self, module: str, record: Record, owner: type, names: dict[str, Any] | None = None):
        self.module, self.record, self.owner, self.names = module, record, owner, names or {}
        self.lines = source_of(module).splitlines()

    # Places in an AST count bytes.
    def _place(self, line: int, column: int) -> tuple[int, int]:
        return line, len(self.lines[line - 1].encode()[:column].decode())

    def _span(self, node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
        return self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset)

    def function(self, node: ast.FunctionDef, indent: int) -> list[str]:
        """Return the lines of a function, with ``indent`` spaces before "def"."""
        pad = " " * indent
        lines = [f"{pad}@{ast.unparse(each)}" for each in node.decorator_list if _keeps(each)]
        returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None and _is_simple(node.returns) else ""
        lines.append(f"{pad}def {node.name}({self._parameters(node.args)}){returns}:")
        doc = ast.get_docstring(node)
        if doc:
            first, *rest = doc.split("\n\n")[0].split("\n")
            lines += docstring_lines("\n".join([first, *rest]), indent + 4)
        body = node.body[1:] if doc is not None else node.body
        first_line = node.body[0].end_lineno if doc is not None else node.body[0].lineno - 1
        made = self.block(body, indent + 4, int(first_line or 0))
        return lines + (made or [f"{pad}    pass"])

    def _parameters(self, arguments: ast.arguments) -> str:
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
        texts = [_parameter(each, default) for each, default in zip(plain, defaults, strict=True)]
        if arguments.vararg:
            texts.append(f"*{_parameter(arguments.vararg, None)}")
        elif arguments.kwonlyargs:
            texts.append("*")
        texts += [
            _parameter(each, default) for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ]
        return ", ".join(texts)

    def block(self, statements: Sequence[ast.stmt], indent: int, before: int) -> list[str]:
        """Return the lines of statements; ``before`` is the line of the source behind which their comments begin."""
        lines: list[str] = []
        for statement in statements:
            made = self.statement(statement, indent)
            if made:
                lines += self._comments(before + 1, statement.lineno, indent) + made
            before = int(statement.end_lineno or statement.lineno)
            if _ends(made, indent):  # a branch that is always taken returned here
                break
        return lines

    def _comments(self, start: int, stop: int, indent: int) -> list[str]:
        """Return the comment lines right before line ``stop``, from line ``start`` on."""
        found: list[str] = []
        for number in range(stop - 1, start - 1, -1):
            text = self.lines[number - 1].strip()
            if not text.startswith("#"):
                break
            found.insert(0, " " * indent + text)
        return found

    def statement(self, node: ast.stmt, indent: int) -> list[str]:
        """Return the lines of a statement, none if it is left out."""
        if isinstance(node, ast.Assert | ast.Raise) or _is_bookkeeping(node):
            return []
        if isinstance(node, ast.If):
            return self._if(node, indent)
        if isinstance(node, ast.For | ast.With | ast.While):
            head_end = node.body[0].lineno - 1
            body = self.block(node.body, indent + 4, head_end)
            return [*self._text_between(node, head_end, indent), *body] if body else []
        if isinstance(node, ast.FunctionDef):
            return self.function(node, indent)
        return self._simple(node, indent)

    def _if(self, node: ast.If, indent: int) -> list[str]:
        key = key_of(self.module, node.test)
        truth = self.record.truth(key, self.owner)
        only_mode = ast.unparse(node.test) == "self.training" and not node.orelse
        if not self.record.tested(key, self.owner):
            return []
        if truth is not None and not (only_mode and truth):
            taken = node.body if truth else node.orelse
            before = node.lineno if truth else (node.orelse[0].lineno - 2 if node.orelse else node.lineno)
            return self.block(taken, indent, before)
        test = self.expression(node.test)
        lines = [f"{' ' * indent}if {test}:", *self.block(node.body, indent + 4, node.lineno)]
        other = self.block(node.orelse, indent + 4, int(node.body[-1].end_lineno or 0)) if node.orelse else []
        return lines + ([f"{' ' * indent}else:", *other] if other else [])

    def _text_between(self, node: ast.stmt, last: int, indent: int) -> list[str]:
        """Return the head of a compound statement, which ends in line ``last``."""
        while self.lines[last - 1].strip().startswith("#"):
            last -= 1
        (begin, column), _ = self._span(node)
        skipped = {id(inner) for statement in node.body for inner in ast.walk(statement)}  # type: ignore[attr-defined]
        edits = [edit for child in ast.iter_child_nodes(node) if id(child) not in skipped for edit in self.edits(child)]
        return self._edited((begin, column), (last, len(self.lines[last - 1])), edits, indent)

    def _simple(self, node: ast.stmt, indent: int) -> list[str]:
        begin, (last, column) = self._span(node)
        rest = self.lines[last - 1][column:]
        end = (last, len(self.lines[last - 1])) if rest.strip().startswith("#") else (last, column)
        value = getattr(node, "value", None)
        if isinstance(value, ast.IfExp) and isinstance(node, ast.Assign | ast.Return):
            truth = self.record.truth(key_of(self.module, value.test), self.owner)
            if truth is not None:  # the chosen branch stands alone, and needs no parentheses
                text = self.expression(value.body if truth else value.orelse)
                return self._edited(begin, end, [Edit(*self._span(value), text)], indent)
        return self._edited(begin, end, self.edits(node), indent)

    def expression(self, node: ast.expr) -> str:
        """Return the text of an expression on one line."""
        begin, end = self._span(node)
        return " ".join(line.strip() for line in self._edited(begin, end, self.edits(node), 0))

    def _edited(self, begin: tuple[int, int], end: tuple[int, int], edits: list[Edit], indent: int) -> list[str]:
        """Return a piece of source with edits, moved to ``indent``."""
        lines = self.lines[begin[0] - 1 : end[0]]
        lines[-1] = lines[-1][: end[1]]
        for edit in sorted(edits, key=lambda edit: edit.begin, reverse=True):
            (line, column), (last, stop) = edit.begin, edit.end
            top, bottom = line - begin[0], last - begin[0]
            lines[top : bottom + 1] = (lines[top][:column] + edit.text + lines[bottom][stop:]).split("\n")
        lines[0] = lines[0][begin[1] :]
        moved = [" " * indent + lines[0].rstrip()]
        for other in lines[1:]:
            depth = len(other) - len(other.lstrip()) - begin[1] + indent
            moved.append(" " * max(depth, 0) + other.strip())
        return [re.sub(r"\s*# type: ignore.*", "", text) for text in moved if text.strip()]

    def edits(self, node: ast.AST) -> list[Edit]:
        """Return the edits of an expression or simple statement, which do not overlap."""
        if isinstance(node, ast.IfExp) and (found := self._choice(node)) is not None:
            return [found]
        if isinstance(node, ast.BoolOp) and (found := self._operands(node)) is not None:
            return [found]
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_recorded_chain(node):
            value = self.record.constant(key_of(self.module, node), self.owner)
            if value is not None and not ast.unparse(node).endswith(".training"):
                return [Edit(*self._span(node), _literal(value[0]))]
            return []
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self.names:
            return [Edit(*self._span(node), _literal(self.names[node.id]))]
        if isinstance(node, ast.Call) and (found := self._state_call(node)) is not None:
            return [found]
        if isinstance(node, ast.comprehension):
            return [*self._conditions(node), *self.edits(node.iter)]
        return [edit for child in ast.iter_child_nodes(node) for edit in self.edits(child)]

    def _choice(self, node: ast.IfExp) -> Edit | None:
        truth = self.record.truth(key_of(self.module, node.test), self.owner)
        if truth is None:
            return None
        chosen = node.body if truth else node.orelse
        text = self.expression(chosen)
        return Edit(*self._span(node), f"({text})" if isinstance(chosen, ast.BinOp | ast.BoolOp | ast.IfExp) else text)

    def _operands(self, node: ast.BoolOp) -> Edit | None:
        """Leave out operands that never decide."""
        deciding = isinstance(node.op, ast.Or)  # the truth at which the rest is not looked at
        kept: list[ast.expr] = []
        for operand in node.values:
            key = key_of(self.module, operand)
            if not self.record.tested(key, self.owner):
                continue
            truth = self.record.truth(key, self.owner)
            if truth == deciding:
                kept.append(operand)
                break
            if truth is None or operand is node.values[-1]:
                kept.append(operand)
        if not kept or len(kept) == len(node.values):
            return None
        text = f" {'or' if deciding else 'and'} ".join(self.expression(each) for each in kept)
        return Edit(*self._span(node), text if len(kept) == 1 else f"({text})")

    def _conditions(self, node: ast.comprehension) -> list[Edit]:
        edits: list[Edit] = []
        _, end = self._span(node.iter)
        for test in node.ifs:
            _, stop = self._span(test)
            if self.record.truth(key_of(self.module, test), self.owner):
                edits.append(Edit(end, stop, ""))
            else:
                edits += self.edits(test)
            end = stop
        return edits

    def _state_call(self, node: ast.Call) -> Edit | None:
        """Simplify the calls of a generation state."""
        text = ast.unparse(node.func)
        if text == "state.recurrent.get":
            return Edit(*self._span(node), self.expression(node.args[1]))
        method = text.removeprefix("state.")
        if not text.startswith("state.") or method not in _DRAWS:
            return None
        *length, shape = node.args[_DRAWS[method] :]
        sizes = [self.expression(each) for each in length]
        if isinstance(shape, ast.Tuple):
            sizes += [self.expression(each) for each in shape.elts]
        elif isinstance(shape, ast.Call) and ast.unparse(shape.func) == "tuple":
            sizes.append(f"*{self.expression(shape.args[0])}")
        else:
            sizes.append(f"*{self.expression(shape)}")
        return Edit(*self._span(node), f"state.{method.removesuffix('_per_frame')}({', '.join(sizes)})")


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    """Return the text of a parameter, with its annotation if the file has names for it."""
    annotation = argument.annotation
    if annotation is None or not _is_simple(annotation):
        return argument.arg + ("" if default is None else f"={ast.unparse(default)}")
    return f"{argument.arg}: {ast.unparse(annotation)}" + ("" if default is None else f" = {ast.unparse(default)}")


def _is_bookkeeping(node: ast.stmt) -> bool:
    """Return True for statements that only keep a state for the next chunk of a long video."""
    text = ast.unparse(node)
    return text.startswith("state.recurrent[") or text.startswith("state.set_batch(")


def _ends(lines: list[str], indent: int) -> bool:
    """Return True if the last statement of a block, at its indent, is a return."""
    starts = [line for line in lines if line.startswith(" " * indent) and not line.startswith(" " * (indent + 1))]
    return bool(starts) and any(line.strip().startswith("return ") for line in starts)


def _is_simple(annotation: ast.expr) -> bool:
    """Return True for annotations that the file has names for."""
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    return names <= _TYPES and not any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(annotation)
    )


def _keeps(decorator: ast.expr) -> bool:
    """Return True for decorators that a file without i2vkit needs."""
    return ast.unparse(decorator) in ("staticmethod", "classmethod", "property", "once_differentiable")


def _literal(value: Any) -> str:
    text = repr(value)
    return f"({text})" if text.startswith("-") else text
