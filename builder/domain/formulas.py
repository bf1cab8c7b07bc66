"""Formulas: values computed from other fields of the same record, e.g. ``sum(lines.total) * 1.13``.

The language: numbers, ``+ - * / % **``, comparisons, ``and or not``, texts in quotes (to compare a choice
with), field keys, ``table.column``, and the functions ``if(condition, then, else)``, ``min``, ``max``,
``round``, ``abs``, ``sum``, ``count``. Arithmetic is decimal. An expression library (simpleeval) evaluates
a tree that was checked node by node when it was parsed; nothing is ever passed to ``eval``. An empty number
counts as 0; when every field that a formula asks for is empty, its result is empty, and so is a division by
zero.
"""

from __future__ import annotations

import ast
import io
import keyword
import operator
import threading
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, DecimalException, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import simpleeval

from builder.domain.kinds import SIGNIFICANT_DIGITS
from builder.errors import N_, Invalid

if TYPE_CHECKING:
    pass

LONGEST = 500
DEEPEST = 25
LARGEST_POWER = 20
PRECISION = 34
_IF = "if_"

Amount: TypeAlias = "Decimal | bool | str"


class FormulaError(Invalid):
    """A formula that cannot be read, or asks for what is not there."""


class _Empty(Exception):
    """The result is empty: a division by zero, or a number beyond the digits that we keep."""


class Rows:
    """The rows of a table inside a formula: ``rows["total"]`` is the column's numbers, empty ones left
    out.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, Sequence[Amount]]) -> None:
        self._columns = columns

    def __getitem__(self, key: str) -> Sequence[Amount]:
        return self._columns[key]


@dataclass(frozen=True)
class Formula:
    """A checked formula; ``names`` are the fields it asks for, ``lines.total`` for a column of a table."""

    text: str
    names: frozenset[str]
    tree: ast.expr


_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS = ("min", "max", "round", "abs", "sum", "count")
_NODES: tuple[type[ast.AST], ...] = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.Attribute),
    *(ast.Load, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or, ast.Pow),
    *_BINARY,
    *_COMPARE,
)


@lru_cache(maxsize=2048)
def parse(text: str) -> Formula:
    """Read a formula and refuse all that is not in the language.

    Errors: FormulaError when it is empty, longer than 500 characters, nested deeper than 25, or uses
    anything else of Python (attributes of attributes, indexes, lambdas, keyword arguments, underscores …).
    """
    if not text.strip() or len(text) > LONGEST:
        raise FormulaError(N_("A formula has 1 to %(limit)s characters."), limit=LONGEST)
    try:
        tree = ast.parse(_rename_if(text.strip()), mode="eval").body
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError):
        raise FormulaError(N_("The formula cannot be read: “%(formula)s”."), formula=text[:80]) from None
    names: set[str] = set()
    _check(tree, DEEPEST, names)
    tree = ast.fix_missing_locations(_Rewrite().visit(tree))
    return Formula(text, frozenset(names), tree)


def _rename_if(text: str) -> str:
    """``if`` is a keyword of the grammar that reads formulas; as a function it gets another name."""
    tokens = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = _IF if token.type == tokenize.NAME and token.string == "if" else token.string
        tokens.append((token.type, name))
    return tokenize.untokenize(tokens).strip()


def _check(node: ast.AST, depth: int, names: set[str]) -> None:
    if depth == 0:
        raise FormulaError(N_("The formula is nested too deeply."))
    if not isinstance(node, _NODES):
        raise FormulaError(N_("A formula may not use “%(what)s”."), what=type(node).__name__)
    if isinstance(node, ast.Call):
        _check_call(node)
        for argument in node.args:
            _check(argument, depth - 1, names)
        return
    if isinstance(node, ast.Attribute):
        if not isinstance(node.value, ast.Name):
            raise FormulaError(N_("A formula may not use “%(what)s”."), what="a.b.c")
        names.add(f"{_name(node.value.id)}.{_name(node.attr)}")
        return
    if isinstance(node, ast.Name):
        names.add(_name(node.id))
        return
    if isinstance(node, ast.Constant):
        _check_constant(node.value)
    for child in ast.iter_child_nodes(node):
        _check(child, depth - 1, names)


def _check_call(node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else "?"
    if name not in (*_FUNCTIONS, _IF) or node.keywords:
        raise FormulaError(N_("There is no function “%(name)s”."), name=name[:40])
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        raise FormulaError(N_("A formula may not use “%(what)s”."), what="*")
    arguments = len(node.args)
    fits = {_IF: arguments == 3, "round": arguments in (1, 2), "abs": arguments == 1,
            "sum": arguments == 1, "count": arguments == 1}  # fmt: skip
    if not fits.get(name, 1 <= arguments <= 50):
        raise FormulaError(
            N_("“%(name)s” has the wrong number of values."), name="if" if name == _IF else name
        )


def _check_constant(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FormulaError(N_("A formula may not use “%(what)s”."), what=str(value)[:40])
    if not isinstance(value, str):
        number = Decimal(repr(value))
        if not number.is_finite() or len(number.normalize().as_tuple().digits) > SIGNIFICANT_DIGITS:
            raise FormulaError(N_("“%(value)s” is not a number."), value=str(value)[:80])


def _name(name: str) -> str:
    if name.startswith("_") or keyword.iskeyword(name) or name in (*_FUNCTIONS, _IF):
        raise FormulaError(N_("A formula may not use “%(what)s”."), what=name[:40])
    return name


class _Rewrite(ast.NodeTransformer):
    """Make literals decimal, ``if(…)`` lazy (only the branch taken is computed), and powers a function."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            return node
        # Any value may stand in a tree that is never compiled; the literals of Python itself would be binary.
        return ast.Constant(value=Decimal(repr(node.value)))  # type: ignore[arg-type]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == _IF:
            test, then, otherwise = node.args
            return ast.IfExp(test=test, body=then, orelse=otherwise)
        return node


class _Evaluators(threading.local):
    """One evaluator a thread: making one takes longer than evaluating most formulas."""

    def __init__(self) -> None:
        self.own = simpleeval.SimpleEval(operators=_operators(), functions=_functions(), names={})


def evaluate(formula: Formula, names: Mapping[str, Any]) -> Decimal | None:
    """The result over ``names`` (numbers as Decimal, choices as text, tables as ``Rows``), ``None`` when
    empty.

    Errors: FormulaError when a name is missing or a text stands where a number is needed.
    """
    evaluator = _evaluators.own
    evaluator.names = names
    with localcontext(prec=PRECISION):
        try:
            result = evaluator.eval(formula.text, previously_parsed=formula.tree)
        except (_Empty, DecimalException):
            return None
        except (simpleeval.InvalidExpression, TypeError, KeyError) as error:
            raise FormulaError(
                N_("The formula “%(formula)s” cannot be computed."), formula=formula.text[:80]
            ) from error
        if isinstance(result, bool):
            return Decimal(int(result))
        if isinstance(result, Decimal):
            return result if result.is_finite() else None
    raise FormulaError(N_("The formula “%(formula)s” does not give a number."), formula=formula.text[:80])


def _power(base: Any, exponent: Any) -> Decimal:
    if not isinstance(base, Decimal) or not isinstance(exponent, Decimal):
        raise TypeError("powers need numbers")
    if abs(exponent) > LARGEST_POWER:
        raise _Empty
    return base**exponent


def _numeric(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Arithmetic on numbers only: ``"a" * 1000000000`` must not be possible."""

    def apply(left: Any, right: Any) -> Any:
        if not isinstance(left, Decimal) or not isinstance(right, Decimal):
            raise TypeError("arithmetic needs numbers")
        return function(left, right)

    return apply


def _negative(value: Any) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError("arithmetic needs numbers")
    return -value


def _flat(values: Iterable[Any]) -> list[Decimal]:
    """Arguments and columns as one list of numbers."""
    numbers: list[Decimal] = []
    for value in values:
        numbers.extend(value if isinstance(value, list | tuple) else (value,))
    if not all(isinstance(number, Decimal) for number in numbers):
        raise TypeError("arithmetic needs numbers")
    return numbers


def _extreme(function: Callable[..., Decimal]) -> Callable[..., Decimal]:
    def apply(*values: Any) -> Decimal:
        numbers = _flat(values)
        if not numbers:
            raise _Empty
        return function(numbers)

    return apply


def _round(value: Any, digits: Any = Decimal(0)) -> Decimal:
    """Half away from zero, as people round money."""
    (number, places) = _flat((value, digits))
    if abs(places) > LARGEST_POWER or places != int(places):
        raise _Empty
    return number.quantize(Decimal(1).scaleb(-int(places)), rounding=ROUND_HALF_UP)


@lru_cache(maxsize=1)
def _operators() -> dict[type[ast.AST], Callable[..., Any]]:
    return {
        **{node: _numeric(function) for node, function in _BINARY.items()},
        **dict(_COMPARE.items()),
        ast.Pow: _power,
        ast.USub: _negative,
        ast.UAdd: lambda value: value,
        ast.Not: operator.not_,
    }


@lru_cache(maxsize=1)
def _functions() -> dict[str, Callable[..., Any]]:
    return {
        "min": _extreme(min),
        "max": _extreme(max),
        "round": _round,
        "abs": lambda value: abs(_flat((value,))[0]),
        "sum": lambda values: sum(_flat((values,)), Decimal(0)),
        "count": lambda values: Decimal(len(values) if isinstance(values, list | tuple) else 1),
    }


_evaluators = _Evaluators()
