"""The rule language: a small, checked subset of SQL.

Columns of the fact kind, parameters by dotted name (``homework.daily_minutes``), comparison, AND/OR/NOT, BETWEEN, IN,
IS NULL, CASE, COALESCE, + − × on 64-bit integers, and a few functions of our own. Everything else is refused with its
place. Types and units are checked while the pack is loaded. A bare number other than 0 never meets a quantity with a
unit: figures of the law belong in parameters, where they have a date and a citation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from qingdan.policy.provisions import Parameter
from qingdan.policy.sources import Place, Problem, nearest
from qingdan.policy.units import CLOCK, DATE, MINUTE, NUMBER, Unit
from qingdan.policy.vocabulary import PLACE, FactKind, Vocabulary


class Typed(NamedTuple):
    """Type of an expression: ``boolean``, ``integer``, ``date``, ``text`` (with its category) or ``null``."""

    type: str
    unit: Unit = NUMBER
    category: str | None = None
    is_zero: bool = False


BOOLEAN = Typed("boolean")
NULL = Typed("null")
_DAY, _MONTH, _YEAR, _PERCENT = (Unit.parse(name) for name in ("day", "month", "year", "percent"))
_ADATE = Typed("date", DATE)


@dataclass(frozen=True)
class Function:
    """A function of our own: the types it takes and the type it gives."""

    takes: tuple[str, ...]
    gives: Typed
    #: Looks a day up in the calendar of the place: takes plain columns, and stands only in a computed column.
    asks_calendar: bool = False
    #: Looks at the place itself: stands only in a computed column.
    asks_place: bool = False


FUNCTIONS: dict[str, Function] = {
    "stage_of": Function(("integer",), Typed("text", category="stage"), asks_place=True),
    "day_kind": Function(("date",), Typed("text", category="day_kind"), asks_calendar=True),
    "in_vacation": Function(("date",), BOOLEAN, asks_calendar=True),
    "season_of": Function(("date",), Typed("text", category="season"), asks_calendar=True),
    "working_days_between": Function(("date", "date"), Typed("integer", _DAY), asks_calendar=True),
    "monday_of": Function(("date",), _ADATE),
    "days_between": Function(("date", "date"), Typed("integer", _DAY)),
    "months_covered": Function(("date", "date"), Typed("integer", _MONTH)),
    "age_on": Function(("date", "date"), Typed("integer", _YEAR)),
    "percent_of": Function(("integer", "integer"), Typed("integer", _PERCENT)),
}
#: Aggregates of a derived kind's SELECT. TOTAL is null as soon as one summand is; SUM adds up what is known.
AGGREGATES = ("SUM", "TOTAL", "COUNT", "MIN", "MAX")

_COMPARISONS: dict[type[exp.Expr], str] = {exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}


@dataclass(frozen=True)
class Expression:
    """A checked expression: its tree, its type, and what it looks at."""

    text: str
    tree: exp.Expr = field(repr=False, compare=False)
    typed: Typed
    columns: tuple[str, ...]
    parameters: tuple[str, ...]


class Refused(Exception):
    """Why an expression is refused, at an offset (line and column within the expression, both from zero)."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column

    def at(self, place: Place, text: str) -> Problem:
        """As a problem of the file in which the expression's text begins at ``place``."""
        if "\n" in text.strip():
            return Problem(Place(place.file, place.line + 1 + self.line, self.column + 1), self.message)
        return Problem(Place(place.file, place.line, place.column + self.column), self.message)


def _offset(node: exp.Expr) -> tuple[int, int]:
    """Line and column (from zero) of the first word of a node that the tokenizer remembers."""
    spots = [
        (int(meta["line"]) - 1, int(meta["col"]) - (int(meta["end"]) - int(meta["start"])) - 1)
        for child in node.walk()
        if "start" in (meta := child.meta)
    ]
    return min(spots, default=(0, 0))


def parse(text: str) -> exp.Expr:
    """Text to tree; raise Refused where the grammar is broken."""
    try:
        tree = sqlglot.parse_one(text)
    except ParseError as error:
        detail = error.errors[0] if error.errors else {}
        if "Expecting )" in str(detail.get("description")):
            raise Refused("表达式写错了：引号或括号没有配对") from None
        raise Refused(
            f"表达式写错了：在“{detail.get('highlight', '')}”处读不下去",
            int(detail.get("line") or 1) - 1,
            max(int(detail.get("col") or 1) - 1, 0),
        ) from None
    except TokenError:
        raise Refused("表达式写错了：引号或括号没有配对") from None
    if tree is None:
        raise Refused("表达式是空的")
    return tree


class Checker:
    """Types an expression over one fact kind; raises Refused at the first thing that may not stand there."""

    def __init__(
        self,
        kind: FactKind,
        vocabulary: Vocabulary,
        parameters: Mapping[str, Parameter],
        *,
        aggregates: bool = False,
        computing: bool = False,
    ) -> None:
        self.kind = kind
        self.vocabulary = vocabulary
        self.parameters_known = parameters
        self.aggregates = aggregates
        self.computing = computing
        self.columns: dict[str, None] = {}
        self.parameters: dict[str, None] = {}
        self._checks: dict[type[exp.Expr], Callable[[exp.Expr], Typed]] = {
            exp.Column: self._column,
            exp.Literal: self._literal,
            exp.Boolean: lambda _: BOOLEAN,
            exp.Null: lambda _: NULL,
            exp.Paren: lambda node: self.check(node.this),
            exp.Not: self._connective,
            exp.And: self._connective,
            exp.Or: self._connective,
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Case: self._case,
            exp.Coalesce: self._coalesce,
            exp.Add: self._sum,
            exp.Sub: self._sum,
            exp.Mul: self._product,
            exp.Neg: lambda node: self._number(node.this),
            exp.Anonymous: self._function,
            **dict.fromkeys(_COMPARISONS, self._comparison),
        }
        if aggregates:
            self._checks |= dict.fromkeys((exp.Sum, exp.Min, exp.Max, exp.Count), self._aggregate)

    def expression(self, text: str) -> Expression:
        """Parse and type a whole expression."""
        tree = parse(text)
        typed = self.check(tree)
        return Expression(text, tree, typed, tuple(self.columns), tuple(self.parameters))

    def check(self, node: exp.Expr) -> Typed:
        """The type of a node and, on the way, of all below it."""
        check = self._checks.get(type(node))
        if check is None:
            raise self._refuse(node, f"规则语言里没有“{node.sql()}”这种写法")
        return check(node)

    def _refuse(self, node: exp.Expr, message: str) -> Refused:
        return Refused(message, *_offset(node))

    def _column(self, node: exp.Expr) -> Typed:
        assert isinstance(node, exp.Column)
        if node.table:
            return self._parameter(node)
        name = node.name
        if name == PLACE:
            raise self._refuse(node, "规则不看地区代码；各地不同的规定请写在各层")
        column = self.kind.columns.get(name)
        if column is None:
            known = self.kind.columns
            raise self._refuse(node, f"“{self.kind.label}”（{self.kind.name}）没有“{name}”这一列{nearest(name, known)}")
        self.columns[name] = None
        unit = column.unit_of_values
        match column.type:
            case "boolean":
                return BOOLEAN
            case "date":
                return _ADATE
            case "text" | "class":
                return Typed("text")
            case "category":
                return Typed("text", category=column.of)
        return Typed("integer", unit)

    def _parameter(self, node: exp.Column) -> Typed:
        name = f"{node.table}.{node.name}"
        parameter = self.parameters_known.get(name)
        if parameter is None:
            raise self._refuse(node, f"没有名为“{name}”的参数{nearest(name, self.parameters_known)}")
        for dimension in parameter.by:
            if dimension not in self.kind.columns:
                raise self._refuse(node, f"参数“{name}”按“{dimension}”区分，而“{self.kind.label}”没有这一列")
            self.columns[dimension] = None
        self.parameters[name] = None
        return _ADATE if parameter.is_date else Typed("integer", parameter.unit)

    def _literal(self, node: exp.Expr) -> Typed:
        assert isinstance(node, exp.Literal)
        if node.is_string:
            return Typed("text", category="")
        if not node.this.isdigit():
            raise self._refuse(node, f"只用整数，“{node.this}”不是；金额以分、时间以分钟为单位")
        return Typed("integer", is_zero=int(node.this) == 0)

    def _connective(self, node: exp.Expr) -> Typed:
        for side in node.iter_expressions():
            if self.check(side).type not in ("boolean", "null"):
                raise self._refuse(side, f"“{side.sql()}”不是判断，不能用 AND、OR、NOT 连接")
        return BOOLEAN

    def _compared(self, node: exp.Expr, left: Typed, right: Typed, left_node: exp.Expr, right_node: exp.Expr) -> None:
        if "null" in (left.type, right.type):
            raise self._refuse(node, "不能与 NULL 比较；请写 IS NULL")
        if left.type != right.type:
            raise self._refuse(node, f"“{left_node.sql()}”与“{right_node.sql()}”类型不同（{left.type}、{right.type}），不能比较")
        if left.type == "integer" and left.unit != right.unit and not (left.is_zero or right.is_zero):
            raise self._refuse(
                node, f"单位不同：“{left_node.sql()}”是 {left.unit}，“{right_node.sql()}”是 {right.unit}；数字限值请写成参数"
            )
        for side, other, literal in ((left, right, right_node), (right, left, left_node)):
            if side.category and isinstance(literal, exp.Literal):
                codes = self.vocabulary.categories[side.category].names
                if literal.this not in codes:
                    raise self._refuse(literal, f"类别“{side.category}”没有“{literal.this}”{nearest(literal.this, codes)}")
            elif side.category and other.category not in (side.category, ""):
                raise self._refuse(node, f"“{left_node.sql()}”与“{right_node.sql()}”属于不同的类别")

    def _comparison(self, node: exp.Expr) -> Typed:
        left, right = self.check(node.this), self.check(node.expression)
        self._compared(node, left, right, node.this, node.expression)
        if left.type in ("boolean", "text") and not isinstance(node, exp.EQ | exp.NEQ):
            raise self._refuse(node, f"“{node.this.sql()}”不分大小，只能用 = 或 <>")
        return BOOLEAN

    def _is(self, node: exp.Expr) -> Typed:
        self.check(node.this)
        if not isinstance(node.expression, exp.Null | exp.Boolean):
            raise self._refuse(node, "IS 后面只能是 NULL、TRUE、FALSE")
        return BOOLEAN

    def _in(self, node: exp.Expr) -> Typed:
        options = node.args.get("expressions") or []
        if not options or node.args.get("query") or node.args.get("unnest"):
            raise self._refuse(node, "IN 后面要有括号里的一列值")
        left = self.check(node.this)
        for option in options:
            self._compared(node, left, self.check(option), node.this, option)
        return BOOLEAN

    def _between(self, node: exp.Expr) -> Typed:
        left = self.check(node.this)
        for edge in (node.args["low"], node.args["high"]):
            self._compared(node, left, self.check(edge), node.this, edge)
        return BOOLEAN

    def _same(self, node: exp.Expr, branches: list[exp.Expr]) -> Typed:
        """The common type of several results, of which some may be NULL or 0."""
        found = NULL
        for branch in branches:
            typed = self.check(branch)
            if typed.type == "null":
                continue
            if found.type == "null" or (found.is_zero and typed.type == "integer"):
                found = typed
            elif typed.type != found.type or (typed.unit != found.unit and not typed.is_zero):
                raise self._refuse(node, f"各分支的类型或单位不一致：“{branch.sql()}”")
        return found._replace(is_zero=False) if found.unit != NUMBER else found

    def _case(self, node: exp.Expr) -> Typed:
        if node.args.get("this") is not None:
            raise self._refuse(node, "请写 CASE WHEN 条件 THEN 值，不写 CASE 列 WHEN 值")
        branches = []
        for branch in node.args["ifs"]:
            if self.check(branch.this).type != "boolean":
                raise self._refuse(branch, f"“{branch.this.sql()}”不是判断")
            branches.append(branch.args["true"])
        if (default := node.args.get("default")) is not None:
            branches.append(default)
        return self._same(node, branches)

    def _coalesce(self, node: exp.Expr) -> Typed:
        return self._same(node, [node.this, *node.expressions])

    def _number(self, node: exp.Expr) -> Typed:
        typed = self.check(node)
        if typed.type != "integer":
            raise self._refuse(node, f"“{node.sql()}”不是整数，不能计算")
        return typed

    def _sum(self, node: exp.Expr) -> Typed:
        left, right = self._number(node.this), self._number(node.expression)
        if left.unit == CLOCK and right.unit == CLOCK and isinstance(node, exp.Sub):
            return Typed("integer", MINUTE)
        if left.unit == CLOCK and right.unit == MINUTE:
            return Typed("integer", CLOCK)
        if left.unit != right.unit and not (left.is_zero or right.is_zero):
            raise self._refuse(node, f"单位不同，不能加减：{left.unit} 与 {right.unit}")
        return Typed("integer", right.unit if left.is_zero else left.unit)

    def _product(self, node: exp.Expr) -> Typed:
        left, right = self._number(node.this), self._number(node.expression)
        if {CLOCK, DATE} & {left.unit, right.unit}:
            raise self._refuse(node, "时刻和日期不能相乘")
        return Typed("integer", left.unit.times(right.unit))

    def _function(self, node: exp.Expr) -> Typed:
        assert isinstance(node, exp.Anonymous)
        name = str(node.this).lower()
        if self.aggregates and name == "total":
            return self._aggregate(node)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._refuse(node, f"没有“{name}”这个函数{nearest(name, FUNCTIONS)}")
        if len(node.expressions) != len(function.takes):
            raise self._refuse(node, f"函数“{name}”要 {len(function.takes)} 个参数，给了 {len(node.expressions)} 个")
        if (function.asks_calendar or function.asks_place) and not self.computing:
            raise self._refuse(node, f"函数“{name}”只用在事实种类的 compute 里：先算成一列，规则再看这一列")
        for argument, wanted in zip(node.expressions, function.takes, strict=True):
            if (given := self.check(argument).type) != wanted:
                raise self._refuse(argument, f"函数“{name}”要的是 {wanted}，“{argument.sql()}”是 {given}")
            if function.asks_calendar and not isinstance(argument, exp.Column):
                raise self._refuse(argument, f"函数“{name}”要查日历，只能直接用一列日期")
        return function.gives

    def _aggregate(self, node: exp.Expr) -> Typed:
        argument = node.expressions[0] if isinstance(node, exp.Anonymous) else node.this
        if isinstance(node, exp.Count):
            inner = argument.expressions if isinstance(argument, exp.Distinct) else [argument]
            for part in inner:
                if not isinstance(part, exp.Star):
                    self.check(part)
            return Typed("integer")
        if isinstance(node, exp.Min | exp.Max):
            return self.check(argument)
        return self._number(argument)._replace(is_zero=False)
