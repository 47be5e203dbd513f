"""Mutants of a module: its syntax tree with one small mistake."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OPERATORS = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
# Annotations are not run, and decorators say how a class is registered or compared, which no value depends on.
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "bases"}


@dataclass(frozen=True)
class Mutant:
    """One small mistake in a module.

    Args:
        module: The file, relative to the repository.
        line: The line of the changed code, from 1.
        column: Its column, from 0.
        change: The code before and after, in one line.
        first: The first line of the statement that it changes.
        last: The last one. A default value of an argument belongs to all lines of its function.
    """

    module: str
    line: int
    column: int
    change: str
    first: int
    last: int

    @property
    def key(self) -> str:
        return f"{self.module}:{self.line}:{self.column} {self.change}"


def mutants(root: Path, module: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its lines."""
    found = [mutant for mutant, _ in _mutated(root, module)]
    return sorted(set(found), key=lambda mutant: (mutant.line, mutant.column, mutant.change))


def mutated_tree(root: Path, wanted: Mutant) -> ast.Module:
    """Return the syntax tree of a mutant's module with its mistake."""
    return next(tree for mutant, tree in _mutated(root, wanted.module) if mutant == wanted)


def _mutated(root: Path, module: str) -> Iterator[tuple[Mutant, ast.Module]]:
    """Change one node of the tree at a time, and change it back after the caller has seen it."""
    tree = ast.parse((root / module).read_text(encoding="utf-8"))
    for parent, field, index, node, statement in list(_places(tree)):
        first, last = _lines(statement)
        for new in _changes(node):
            before, after = (" ".join(ast.unparse(one).split()) for one in (node, new))
            ast.copy_location(new, node)
            _put(parent, field, index, new)
            mutant = Mutant(module, node.lineno, node.col_offset, f"{before} -> {after}", first, last)
            yield mutant, ast.fix_missing_locations(tree)
            _put(parent, field, index, node)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """Return the first and last line of a statement, without the statements inside it."""
    inside = getattr(statement, "body", None)
    if inside and not isinstance(statement, ast.FunctionDef):
        return statement.lineno, max(statement.lineno, inside[0].lineno - 1)
    return statement.lineno, statement.end_lineno or statement.lineno


def _places(
    parent: ast.AST, statement: ast.stmt | None = None
) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, ast.stmt]]:
    """Yield every statement and expression below a node, the field of its parent, and the statement that it is in."""
    for field, value in ast.iter_fields(parent):
        if field in SKIPPED_FIELDS:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
                continue
            own = node if isinstance(node, ast.stmt) else statement
            if isinstance(node, ast.stmt | ast.expr) and own is not None:
                yield parent, field, index, node, own
            yield from _places(node, own)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the mistakes that can be made at a node: one for most kinds."""
    match node:
        case ast.Compare(ops=[operator, *_]) if type(operator) in OPERATORS:
            new = copy.deepcopy(node)
            new.ops[0] = OPERATORS[type(operator)]()
            yield new
        case ast.BinOp(op=operator) | ast.BoolOp(op=operator) | ast.AugAssign(op=operator) if (
            type(operator) in OPERATORS
        ):
            new = copy.deepcopy(node)
            new.op = OPERATORS[type(operator)]()
            yield new
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield copy.deepcopy(node.operand)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            new = copy.deepcopy(node)
            new.test = ast.UnaryOp(ast.Not(), new.test)
            yield new
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.AugAssign():
            yield ast.Pass()
