"""Computed columns and derived kinds: their expressions, checked against the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from qingdan.policy.expressions import AGGREGATES, Checker, Expression, Refused, Typed, parse
from qingdan.policy.sources import Place, Problem, nearest
from qingdan.policy.vocabulary import Column, Derivation, FactKind, Vocabulary


@dataclass(frozen=True)
class Derived:
    """The checked SELECT of a derived kind: column -> expression over the source kind, and the grouping columns."""

    source: str
    columns: dict[str, exp.Expr] = field(repr=False)
    group: tuple[str, ...]
    #: Derived column -> the source's columns that it looks at.
    looks_at: dict[str, tuple[str, ...]]
    #: Derived column -> those of them for which it names no default: it cannot do without.
    needs: dict[str, tuple[str, ...]]


_PLAIN = {"integer": "integer", "money": "integer", "clock": "integer", "grade": "integer", "class": "text", "category": "text"}


def misfit(column: Column, typed: Typed) -> str | None:
    """Why an expression's type does not suit a column, or None."""
    wanted = _PLAIN.get(column.type, column.type)
    if typed.type not in (wanted, "null"):
        return f"这一列是 {column.type}，算出来的却是 {typed.type}"
    if wanted == "integer" and typed.unit != column.unit_of_values and not typed.is_zero:
        return f"这一列的单位是 {column.unit_of_values}，算出来的却是 {typed.unit}"
    if column.type == "category" and typed.category and typed.category != column.of:
        return f"这一列属于类别 {column.of}，算出来的却是 {typed.category}"
    return None


def check_computed(kind: FactKind, vocabulary: Vocabulary, problems: list[Problem]) -> dict[str, Expression]:
    """The computed columns of a kind in an order in which each needs only earlier ones."""
    found: dict[str, Expression] = {}
    for name, column in kind.columns.items():
        if column.compute is None:
            continue
        place = kind.source.place("columns", name, "compute")
        try:
            expression = Checker(kind, vocabulary, {}, computing=True).expression(column.compute)
        except Refused as refused:
            problems.append(refused.at(place, column.compute))
            continue
        if (why := misfit(column, expression.typed)) is not None:
            problems.append(Problem(place, why))
        found[name] = expression
    try:
        order = TopologicalSorter({name: [each for each in e.columns if each in found] for name, e in found.items()}).static_order()
        return {name: found[name] for name in order}
    except CycleError as error:
        loop = " → ".join(error.args[1])
        problems.append(Problem(kind.source.place("columns"), f"这些列互相依赖，算不出来：{loop}"))
        return {}


def check_derived(kind: FactKind, derivation: Derivation, vocabulary: Vocabulary, problems: list[Problem]) -> Derived | None:
    """The SELECT of a derived kind; None, with problems added, when it is not one we understand."""
    place = kind.source.place("derived", "select")
    source = vocabulary.kinds.get(derivation.source)
    if source is None:
        problems.append(
            Problem(
                kind.source.place("derived", "from"), f"没有“{derivation.source}”这类事实{nearest(derivation.source, vocabulary.kinds)}"
            )
        )
        return None
    try:
        return _select(kind, source, parse(derivation.select), vocabulary, problems, place)
    except Refused as refused:
        problems.append(refused.at(place, derivation.select))
        return None


def _select(kind: FactKind, source: FactKind, tree: exp.Expr, vocabulary: Vocabulary, problems: list[Problem], place: Place) -> Derived:
    allowed = {"expressions", "from_", "from", "group", "where", "kind"}
    if not isinstance(tree, exp.Select) or any(value for key, value in tree.args.items() if value and key not in allowed):
        raise Refused("derived.select 只能是 SELECT … FROM … [WHERE …] GROUP BY …")
    if [table.name for table in tree.find_all(exp.Table)] != [source.name]:
        raise Refused(f"FROM 后面应当是“{source.name}”，而且只有它")
    if tree.args.get("where") is not None:
        raise Refused("不用 WHERE；请在 CASE WHEN 里写条件")
    group = [node.name for node in (tree.args["group"].expressions if tree.args.get("group") else [])]
    columns: dict[str, exp.Expr] = {}
    looks_at: dict[str, tuple[str, ...]] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for projection in tree.expressions:
        name, node = projection.alias_or_name, projection.unalias()
        if name not in kind.columns:
            problems.append(Problem(place, f"SELECT 里的“{name}”不在 columns 中{nearest(name, kind.columns)}"))
            continue
        checker = Checker(source, vocabulary, {}, aggregates=True)
        typed = checker.check(node)
        if (why := misfit(kind.columns[name], typed)) is not None:
            problems.append(Problem(place, f"“{name}”：{why}"))
        for column in node.find_all(exp.Column):
            if column.name not in group and not _is_aggregated(column):
                problems.append(Problem(place, f"“{column.name}”既不在 GROUP BY 里，也没有汇总（{'、'.join(AGGREGATES)}）"))
        columns[name] = node
        looks_at[name] = tuple(checker.columns)
        needs[name] = tuple(column for column in checker.columns if not _has_default(column, node))
    for name in group:
        if name not in source.columns:
            problems.append(Problem(place, f"GROUP BY 的“{name}”不是“{source.name}”的列{nearest(name, source.columns)}"))
    for name, column in kind.columns.items():
        if name not in columns and column.compute is None:
            problems.append(Problem(place, f"columns 里的“{name}”没有出现在 SELECT 中"))
    return Derived(source.name, columns, tuple(group), looks_at, needs)


def _has_default(name: str, tree: exp.Expr) -> bool:
    """Whether a column stands only as ``COALESCE(column, …)``: where it is missing, the author has said what to take instead."""
    return all(isinstance(node.parent, exp.Coalesce) and node.arg_key == "this" for node in tree.find_all(exp.Column) if node.name == name)


def _is_aggregated(node: exp.Expr) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Select):
        if isinstance(parent, exp.AggFunc) or (isinstance(parent, exp.Anonymous) and str(parent.this).upper() in AGGREGATES):
            return True
        parent = parent.parent
    return False
