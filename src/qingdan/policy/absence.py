"""What a table cannot say: rules that stay undetermined for every row because a whole column is not there.

Such a rule is told once for the table ("the table has no column …"), not once a row.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from qingdan.policy.compiler import Compiler
from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import FactKind

#: Null as soon as one operand is.
_STRICT = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Not, exp.Paren, exp.Between)


def is_certainly_null(node: exp.Expr, absent: frozenset[str]) -> bool:
    """Whether an expression is null for every row when the absent columns are null."""
    if isinstance(node, exp.Column):
        return not node.table and node.name in absent
    if isinstance(node, exp.And | exp.Or | exp.Coalesce):
        return all(is_certainly_null(child, absent) for child in node.iter_expressions())
    if isinstance(node, exp.In):
        return is_certainly_null(node.this, absent)
    if isinstance(node, _STRICT) or (isinstance(node, exp.Anonymous) and str(node.this).lower() != "total"):
        return any(is_certainly_null(child, absent) for child in node.iter_expressions())
    return False


def absent_columns(kind: FactKind, present: Iterable[str], compiler: Compiler) -> frozenset[str]:
    """The columns of a recorded kind that are null throughout: not in the tables, not a place's standing value, not computable."""
    have = set(present)
    for name in compiler.attribute_columns:
        if all(layer.attributes.get(name) is not None for layer in compiler.layers):
            have.add(name)
    for (owner, name), expression in compiler.pack.expressions.items():
        if owner == kind.name and not is_certainly_null(expression.tree, frozenset(kind.columns) - have):
            have.add(name)
    return frozenset(kind.columns) - have


def tainted_columns(kind: FactKind, absent: frozenset[str], compiler: Compiler) -> frozenset[str]:
    """The columns of a recorded kind that may be null because a column is absent: those, and what is computed from them."""
    tainted = set(absent)
    for (owner, name), expression in compiler.pack.expressions.items():
        if owner == kind.name and tainted.intersection(expression.columns):
            tainted.add(name)
    return frozenset(tainted)


def columns_above(kind: FactKind, below: frozenset[str], compiler: Compiler) -> frozenset[str]:
    """The columns of a derived kind that look at one of the given columns of the kind below."""
    derived = compiler.derived(kind)
    above = {name for name, needed in derived.needs.items() if below.intersection(needed)}
    return tainted_columns(kind, frozenset(above), compiler)


def cannot_be_judged(pack: Pack, rule: Rule, absent: frozenset[str]) -> bool:
    """Whether a rule can neither be kept nor broken by any row of a table without the absent columns."""
    if rule.when is not None and is_certainly_null(pack.expressions[rule.id, "when"].tree, absent):
        return True
    return is_certainly_null(pack.expressions[rule.id, "require"].tree, absent)
