"""A rule's expression as a Chinese sentence, so that nobody has to read SQL to know what is required."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from qingdan.policy.pack import Pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import FactKind

_COMPARED: dict[type[exp.Expr], str] = {exp.EQ: "为", exp.NEQ: "不为", exp.GT: "多于", exp.GTE: "不少于", exp.LT: "少于", exp.LTE: "不超过"}
_IN_TIME: dict[type[exp.Expr], str] = {exp.EQ: "为", exp.NEQ: "不为", exp.GT: "晚于", exp.GTE: "不早于", exp.LT: "早于", exp.LTE: "不晚于"}
#: Turned round by NOT.
_OPPOSITE: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
}
_FUNCTIONS = {
    "stage_of": "{0}所属学段",
    "day_kind": "{0}的日期类型",
    "in_vacation": "{0}在寒暑假中",
    "season_of": "{0}所在季节",
    "working_days_between": "{0}至{1}的工作日数",
    "days_between": "{0}至{1}的天数",
    "months_covered": "{0}至{1}的月数",
    "age_on": "{1}时的年龄",
    "percent_of": "{0}占{1}的百分比",
}


class Wording:
    """Puts expressions of one rule into words."""

    def __init__(self, pack: Pack, rule: Rule) -> None:
        self.pack, self.kind = pack, pack.vocabulary.kinds[rule.facts]
        self._words: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
            exp.Column: self._column,
            exp.Literal: lambda node: str(node.this),
            exp.Boolean: lambda node: "是" if node.this else "否",
            exp.Null: lambda _: "不能断定",
            exp.Paren: lambda node: f"（{self.say(node.this)}）",
            exp.Not: lambda node: self._negated(node.this),
            exp.And: lambda node: self._joined(node, "，且"),
            exp.Or: lambda node: self._joined(node, "，或"),
            exp.Is: lambda node: f"没有填{self._name(node.this)}",
            exp.In: self._in,
            exp.Between: self._between,
            exp.Coalesce: self._coalesce,
            exp.Case: self._case,
            exp.Add: lambda node: self._joined(node, "加"),
            exp.Sub: lambda node: self._joined(node, "减"),
            exp.Mul: lambda node: self._joined(node, "乘"),
            exp.Neg: lambda node: f"负{self.say(node.this)}",
            exp.Anonymous: self._function,
            **dict.fromkeys(_COMPARED, self._compared),
        }

    def say(self, node: exp.Expr) -> str:
        """A node in words; as SQL where no words are known."""
        words = self._words.get(type(node))
        return words(node) if words is not None else node.sql()

    def _joined(self, node: exp.Expr, word: str) -> str:
        assert isinstance(node, exp.Binary)
        return f"{self.say(node.left)}{word}{self.say(node.right)}"

    def _column(self, node: exp.Expr) -> str:
        assert isinstance(node, exp.Column)
        column = None if node.table else self.kind.columns.get(node.name)
        # A yes/no column standing alone is a statement.
        return self._statement(node.name) if column is not None and column.type == "boolean" else self._name(node)

    def _statement(self, name: str, *, is_true: bool = True) -> str:
        label = self.kind.columns[name].label
        if label.startswith(("是否", "有无", "能否")):
            yes, no = {"是否": ("是", "不是"), "有无": ("有", "没有"), "能否": ("能", "不能")}[label[:2]]
            return f"“{label}”填“{yes if is_true else no.replace('不是', '否')}”"
        return f"“{label}”为{'是' if is_true else '否'}"

    def _name(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Column):
            if node.table:
                return f"【{self.pack.parameters[f'{node.table}.{node.name}'].label}】"
            return f"“{self.kind.columns[node.name].label}”"
        return self.say(node)

    def _negated(self, node: exp.Expr) -> str:
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, exp.Column) and not node.table:
            return self._statement(node.name, is_true=False)
        if (opposite := _OPPOSITE.get(type(node))) is not None:
            return self._compared(node, opposite)
        if isinstance(node, exp.Is):
            return f"填了{self._name(node.this)}"
        if isinstance(node, exp.In):
            return self._in(node, "不是")
        return f"并非（{self.say(node)}）"

    def _is_time(self, node: exp.Expr) -> bool:
        for column in node.find_all(exp.Column):
            kind = self.kind.columns.get(column.name) if not column.table else None
            parameter = self.pack.parameters.get(f"{column.table}.{column.name}") if column.table else None
            if (kind and kind.type in ("date", "clock")) or (parameter and (parameter.is_clock or parameter.is_date)):
                return not node.find(exp.Anonymous)
        return False

    def _compared(self, node: exp.Expr, as_if: type[exp.Expr] | None = None) -> str:
        assert isinstance(node, exp.Binary)
        words = _IN_TIME if self._is_time(node) else _COMPARED
        left, right = node.left, node.right
        shown = self._value(left, right) if isinstance(right, exp.Literal) else self._name(right)
        return f"{self._name(left)}{words[as_if or type(node)]}{shown}"

    def _value(self, column: exp.Expr, literal: exp.Expr) -> str:
        """A code by the label of its category."""
        known = self.kind.columns.get(column.name) if isinstance(column, exp.Column) else None
        if known is not None and known.type == "category":
            return f"“{self.pack.vocabulary.category_of(known).label(str(literal.this))}”"
        return str(literal.this)

    def _in(self, node: exp.Expr, verb: str = "是") -> str:
        assert isinstance(node, exp.In)
        return f"{self._name(node.this)}{verb}{'、'.join(self._value(node.this, each) for each in node.expressions)}之一"

    def _between(self, node: exp.Expr) -> str:
        return f"{self._name(node.this)}在{self._name(node.args['low'])}至{self._name(node.args['high'])}之间"

    def _coalesce(self, node: exp.Expr) -> str:
        first, rest = node.this, node.expressions
        if len(rest) == 1 and isinstance(rest[0], exp.Boolean):
            return f"{self.say(first)}（没有填时视为{'是' if rest[0].this else '否'}）"
        return f"{self._name(first)}（没有填时取{'、'.join(self._name(each) for each in rest)}）"

    def _case(self, node: exp.Expr) -> str:
        parts = [f"若{self.say(branch.this)}则{self._outcome(branch.args['true'])}" for branch in node.args["ifs"]]
        if (default := node.args.get("default")) is not None:
            parts.append(f"否则{self._outcome(default)}")
        return "，".join(parts)

    def _outcome(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Boolean):
            return "符合" if node.this else "不符合"
        return self._name(node)

    def _function(self, node: exp.Expr) -> str:
        assert isinstance(node, exp.Anonymous)
        arguments = [self._name(each) for each in node.expressions]
        return _FUNCTIONS.get(str(node.this).lower(), f"{node.this}（{'、'.join(arguments)}）").format(*arguments)


def in_words(pack: Pack, rule: Rule, part: str) -> str:
    """A rule's ``when`` or ``require`` in Chinese; empty when the rule has none."""
    expression = pack.expressions.get((rule.id, part))
    return Wording(pack, rule).say(expression.tree) if expression is not None else ""


def kind_words(pack: Pack, kind: FactKind) -> str:
    """What a kind is, for a reader who knows spreadsheets."""
    if kind.derived is None:
        return kind.label
    return f"{kind.label}（由“{pack.vocabulary.kinds[kind.derived.source].label}”汇总）"
