"""Checks a loaded pack against itself: every name resolves, every expression types, no two figures contradict."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

from qingdan.policy.deriving import check_computed, check_derived
from qingdan.policy.documents import ADDRESSEES, SCREENS, Clause, Document
from qingdan.policy.expressions import Checker, Expression, Refused
from qingdan.policy.layers import Layer
from qingdan.policy.lexicons import Lexicon, check_lexicon
from qingdan.policy.loading import Loaded, resolve_layers
from qingdan.policy.provisions import (
    OTHERWISE,
    Band,
    Parameter,
    ParameterFile,
    ProvisionFile,
    Rule,
    Statement,
    SwitchOff,
    cells_of,
    read_figure,
)
from qingdan.policy.sources import Place, Problem, Source, nearest
from qingdan.policy.units import Unit
from qingdan.policy.vocabulary import FactKind, Vocabulary, fields_of

_PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")


@dataclass
class Checked:
    """What the checks put together on their way."""

    layers: dict[str, Layer] = field(default_factory=dict)
    clauses: dict[str, tuple[Document, Clause]] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    statements: dict[str, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[str, Rule] = field(default_factory=dict)
    switch_offs: list[SwitchOff] = field(default_factory=list)
    expressions: dict[tuple[str, str], Expression] = field(default_factory=dict)
    lexicons: dict[str, Lexicon] = field(default_factory=dict)


def check_pack(loaded: Loaded) -> Checked:
    """Check everything; problems are added to ``loaded.problems``."""
    checked = Checked(layers=resolve_layers(loaded))
    if not _categories_are_known(loaded):
        return checked  # all that follows would stumble over the same names
    _check_kinds(loaded, checked)
    _check_documents(loaded, checked)
    _check_parameters(loaded, checked)
    _check_rules(loaded, checked)
    _check_restatements(loaded, checked)
    _check_lexicons(loaded, checked)
    return checked


def _check_lexicons(loaded: Loaded, checked: Checked) -> None:
    for file, source in loaded.lexicons:
        loaded.problems.extend(check_lexicon(file, source, checked.clauses))
        checked.lexicons[file.name] = Lexicon(file.name, file.title, file.about, tuple(file.words), source)


def _categories_are_known(loaded: Loaded) -> bool:
    categories, before = loaded.categories, len(loaded.problems)
    for kind in loaded.kinds.values():
        for name, column in kind.columns.items():
            if column.of is not None and column.of not in categories:
                where = kind.source.place("columns", name, "of")
                loaded.problems.append(Problem(where, f"没有类别“{column.of}”{nearest(column.of, categories)}"))
    return len(loaded.problems) == before


def _check_kinds(loaded: Loaded, checked: Checked) -> None:
    vocabulary, problems = loaded.vocabulary, loaded.problems
    for kind in vocabulary.kinds.values():
        for name, expression in check_computed(kind, vocabulary, problems).items():
            checked.expressions[kind.name, name] = expression
        if kind.derived is not None:
            check_derived(kind, kind.derived, vocabulary, problems)
    for layer in checked.layers.values():
        for name in layer.grades.stages:
            if (stages := vocabulary.categories.get("stage")) is not None and name not in stages.names:
                place = layer.source.place("grades", "stages", name)
                problems.append(Problem(place, f"类别 stage 没有“{name}”{nearest(name, stages.names)}"))
        _check_attributes(layer, vocabulary, problems)


def _check_attributes(layer: Layer, vocabulary: Vocabulary, problems: list[Problem]) -> None:
    for name, value in layer.attributes.items():
        place = layer.source.place("attributes", name)
        if place.line == 1:
            continue  # an upper layer's word, told there
        columns = [(kind, kind.columns[name]) for kind in vocabulary.kinds.values() if name in kind.columns]
        if not columns:
            known = {column for kind in vocabulary.kinds.values() for column in kind.columns}
            problems.append(Problem(place, f"没有哪类事实有“{name}”这一列{nearest(name, known)}"))
            continue
        kind, column = columns[0]
        try:
            # A standing clock is written as in parameters, or as minutes since midnight.
            is_minutes = column.type == "clock" and isinstance(value, int) and not isinstance(value, bool)
            if not is_minutes:
                fact_value(kind, name, value, vocabulary)
        except ValueError as error:
            problems.append(Problem(place, str(error)))


def _check_documents(loaded: Loaded, checked: Checked) -> None:
    problems = loaded.problems
    names = {
        "duty": {duty.id for _, duty, _, _ in loaded.duties},
        "indicator": {indicator.id for _, indicator, _, _ in loaded.indicators},
        "screen": set(SCREENS),
        "planned": set(loaded.capabilities),
    }
    for document in loaded.documents:
        source = document.source
        if document.layer not in checked.layers:
            problems.append(Problem(source.place(), f"文件夹“{document.layer}”没有 layer.yaml"))
        for index, clause in enumerate(document.clauses):
            if clause.id in checked.clauses:
                problems.append(Problem(source.place("clauses", index, "id"), f"条款编号“{clause.id}”重复"))
            checked.clauses[clause.id] = (document, clause)
            for addressee in clause.addressee:
                if addressee not in ADDRESSEES:
                    where = source.place("clauses", index, "addressee")
                    problems.append(Problem(where, f"不认识的义务人“{addressee}”{nearest(addressee, ADDRESSEES)}"))
            for number, carrier in enumerate(clause.carried_out_by):
                known = names.get(carrier.sort)
                if known is not None and carrier.name not in known:
                    where = source.place("clauses", index, "carried_out_by", number)
                    problems.append(Problem(where, f"没有名为“{carrier.name}”的 {carrier.sort}{nearest(carrier.name, known)}"))
    for items in (loaded.duties, loaded.indicators):
        seen: set[str] = set()
        for layer, item, source, index in items:
            if item.id in seen:
                problems.append(Problem(source.place(index, "id"), f"编号“{item.id}”重复"))
            seen.add(item.id)
            _check_cites(item.cites, layer, checked, source.place(index, "cites"), problems)


def _check_cites(cites: Iterable[str], layer: str, checked: Checked, place: Place, problems: list[Problem]) -> None:
    chain = checked.layers[layer].chain if layer in checked.layers else ()
    for cite in cites:
        if cite not in checked.clauses:
            problems.append(Problem(place, f"引用的条款“{cite}”不存在{nearest(cite, checked.clauses)}"))
        elif checked.clauses[cite][0].layer not in chain:
            problems.append(Problem(place, f"“{layer}”不能引用不是自己也不是上级的条款“{cite}”"))


def _check_parameters(loaded: Loaded, checked: Checked) -> None:
    for layer, _, provision, source in loaded.provisions:
        if layer not in checked.layers:
            loaded.problems.append(Problem(Place(source.file), f"文件夹“{layer}”没有 layer.yaml，也不是已有的层"))
            continue
        _check_cites(provision.cites, layer, checked, source.place("cites"), loaded.problems)
        for name, parameter in provision.parameters.items():
            if not parameter.overrides:
                _declare(name, parameter, layer, source, checked, loaded.problems)
    for layer, _, provision, source in loaded.provisions:
        if layer in checked.layers:
            for name, parameter in provision.parameters.items():
                _state(name, parameter, layer, provision, source, loaded, checked)
    for statements in checked.statements.values():
        _check_overlaps(statements, loaded.problems)


def _declare(name: str, parameter: ParameterFile, layer: str, source: Source, checked: Checked, problems: list[Problem]) -> None:
    place = source.place("parameters", name)
    if not _PARAMETER_NAME.match(name):
        problems.append(Problem(place, f"参数名要写成“主题.名称”（小写字母、数字、下划线），却是“{name}”"))
        return
    if (other := checked.parameters.get(name)) is not None:
        related = other.layer in checked.layers[layer].chain or layer in checked.layers[other.layer].chain
        hint = "；改写上级的数值请写 overrides: true" if related else "；两地共用的参数请在共同的上级声明（可以不给数值）"
        problems.append(Problem(place, f"参数“{name}”已由“{other.layer}”在 {other.source.file} 声明{hint}"))
        return
    assert parameter.unit is not None
    assert parameter.label is not None
    assert parameter.tighter is not None
    checked.parameters[name] = Parameter(
        name, parameter.label, Unit.parse(parameter.unit), tuple(parameter.by), parameter.tighter, layer, source
    )


def _state(name: str, file: ParameterFile, layer: str, provision: ProvisionFile, source: Source, loaded: Loaded, checked: Checked) -> None:
    problems = loaded.problems
    parameter = checked.parameters.get(name)
    place = source.place("parameters", name)
    if parameter is None:
        if file.overrides:
            problems.append(Problem(place, f"没有上级声明过参数“{name}”，无从改写{nearest(name, checked.parameters)}"))
        return
    if file.overrides and parameter.layer not in checked.layers[layer].chain:
        problems.append(Problem(place, f"参数“{name}”由“{parameter.layer}”声明，它不是“{layer}”的上级"))
        return
    for index, dated in enumerate(file.values):
        path = ("parameters", name, "values", index)
        cites = tuple(dated.cites or provision.cites)
        _check_cites(dated.cites, layer, checked, source.place(*path, "cites"), problems)
        binding = [checked.clauses[cite][0] for cite in cites if cite in checked.clauses]
        if binding and not any(document.binds for document in binding):
            continue
        ends = [document.in_force_until for document in binding]
        until = _earlier(dated.until, max(end for end in ends if end) if ends and all(ends) else None)
        try:
            for cell, raw in cells_of(dated.value, parameter.by):
                _check_cell(cell, parameter, loaded.vocabulary)
                value = read_figure(raw, parameter.unit)
                statement = Statement(name, layer, cell, dated.since, until, value, cites, provision.id, source, path)
                checked.statements[name].append(statement)
        except ValueError as error:
            problems.append(Problem(source.place(*path, "value"), str(error)))


def _earlier(first: datetime.date | None, second: datetime.date | None) -> datetime.date | None:
    return min((day for day in (first, second) if day is not None), default=None)


def _check_cell(cell: tuple[str, ...], parameter: Parameter, vocabulary: Vocabulary) -> None:
    for dimension, key in zip(parameter.by, cell, strict=True):
        columns = [kind.columns[dimension] for kind in vocabulary.kinds.values() if dimension in kind.columns]
        if not columns:
            raise ValueError(f"没有哪类事实有“{dimension}”这一列")
        column = columns[0]
        if key == OTHERWISE:
            continue
        if column.type == "category":
            codes = vocabulary.category_of(column).names
            if key not in codes:
                raise ValueError(f"“{dimension}”没有“{key}”这个取值{nearest(key, codes)}")
        elif column.type == "boolean":
            if key not in ("true", "false"):
                raise ValueError(f"“{dimension}”只有 true 和 false，却是“{key}”")
        elif Band.parse(key) is None and not key.lstrip("-").isdigit():
            raise ValueError(f'“{dimension}”的取值要写成整数或区间（如 "(10,35]"），却是“{key}”')


def _check_overlaps(statements: list[Statement], problems: list[Problem]) -> None:
    by_layer: defaultdict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_layer[statement.layer].append(statement)
    for own in by_layer.values():
        for first, second in combinations(own, 2):
            if _cells_meet(first, second) and _times_meet(first, second):
                place = second.source.place(*second.path)
                day = max(first.since, second.since)
                problems.append(
                    Problem(
                        place,
                        f"参数“{second.parameter}”自 {day} 起在“{second.layer}”有两个值（另一个在 {first.source.place(*first.path)}）；"
                        f"请给先前的值写 until",
                    )
                )


def _cells_meet(first: Statement, second: Statement) -> bool:
    for one, other in zip(first.cell, second.cell, strict=True):
        bands = _as_band(one), _as_band(other)
        if bands[0] and bands[1]:
            if not bands[0].overlaps(bands[1]):
                return False
        elif one != other:
            return False
    return True


def _as_band(key: str) -> Band | None:
    return Band(int(key), True, int(key), True) if key.lstrip("-").isdigit() else Band.parse(key)


def _times_meet(first: Statement, second: Statement) -> bool:
    far = datetime.date.max
    return first.since < (second.until or far) and second.since < (first.until or far)


def _check_rules(loaded: Loaded, checked: Checked) -> None:
    problems = loaded.problems
    drafted: set[str] = set()
    for layer, subject, provision, source in loaded.provisions:
        if layer not in checked.layers or provision.rule is None:
            continue
        if provision.id in checked.rules:
            other = checked.rules[provision.id].source.file
            problems.append(Problem(source.place("id"), f"规则编号“{provision.id}”重复（另一个在 {other}）"))
            continue
        kind = loaded.kinds.get(provision.facts or "")
        if kind is None:
            hint = nearest(provision.facts or "", loaded.kinds)
            problems.append(Problem(source.place("facts"), f"没有“{provision.facts}”这类事实{hint}"))
            continue
        rule, binds = _rule(layer, subject, provision, source, checked)
        _check_expressions(rule, kind, loaded, checked)
        _check_says(rule, kind, checked, problems)
        if binds:
            checked.rules[rule.id] = rule
        else:
            drafted.add(rule.id)
    for layer, _, provision, source in loaded.provisions:
        if layer in checked.layers:
            _check_changes(layer, provision, source, checked, problems)
            judged = checked.rules.get(provision.judges or provision.id)
            if provision.judges is not None and judged is None and provision.judges not in drafted:
                place = source.place("judges")
                problems.append(Problem(place, f"没有规则“{provision.judges}”{nearest(provision.judges, checked.rules)}"))
            elif judged is not None and judged.facts in loaded.kinds:
                _check_cases(provision, source, loaded.kinds[judged.facts], checked, loaded)


def _rule(layer: str, subject: str, provision: ProvisionFile, source: Source, checked: Checked) -> tuple[Rule, bool]:
    """The rule of a provision, and whether it binds: one that stands on drafts alone does not."""
    file = provision.rule
    assert file is not None
    assert provision.facts
    assert provision.says
    assert provision.remedy
    documents = [checked.clauses[cite][0] for cite in provision.cites if cite in checked.clauses]
    # A layer's rule begins and ends with the layer's own document, even where it names an upper one too.
    own = [document for document in documents if document.layer == layer and document.binds]
    dating = own or [document for document in documents if document.binds]
    ends = [document.in_force_until for document in dating]
    rule = Rule(
        id=provision.id,
        title=provision.title,
        layer=layer,
        subject=subject,
        facts=provision.facts,
        cites=tuple(provision.cites),
        when=file.when,
        require=file.require,
        since=file.since or min((document.in_force_from for document in dating), default=datetime.date.max),
        until=_earlier(file.until, max(end for end in ends if end) if ends and all(ends) else None),
        replaces=provision.replaces,
        says=provision.says,
        remedy=provision.remedy,
        why=provision.why,
        cases=tuple(provision.cases),
        source=source,
    )
    return rule, bool(dating)


def _check_expressions(rule: Rule, kind: FactKind, loaded: Loaded, checked: Checked) -> None:
    for part, text in (("when", rule.when), ("require", rule.require)):
        if text is None:
            continue
        place = rule.source.place("rule", part)
        try:
            expression = Checker(kind, loaded.vocabulary, checked.parameters).expression(text)
        except Refused as refused:
            loaded.problems.append(refused.at(place, text))
            continue
        if expression.typed.type != "boolean":
            loaded.problems.append(Problem(place, f"{part} 应当是一个判断，却是 {expression.typed.type}"))
        checked.expressions[rule.id, part] = expression


def _check_says(rule: Rule, kind: FactKind, checked: Checked, problems: list[Problem]) -> None:
    for name in fields_of(rule.says):
        known = {**kind.columns, **checked.parameters}
        if name not in known:
            place = rule.source.place("says")
            problems.append(Problem(place, f"says 里的“{name}”既不是列也不是参数{nearest(name, known)}"))


def _check_changes(layer: str, provision: ProvisionFile, source: Source, checked: Checked, problems: list[Problem]) -> None:
    for key, target in (("replaces", provision.replaces), ("switches_off", provision.switches_off)):
        if target is None:
            continue
        rule = checked.rules.get(target)
        if rule is None:
            problems.append(Problem(source.place(key), f"没有规则“{target}”{nearest(target, checked.rules)}"))
        elif rule.layer not in checked.layers[layer].chain[1:]:
            problems.append(Problem(source.place(key), f"规则“{target}”属于“{rule.layer}”，不是“{layer}”的上级，不能由它改动"))
        elif key == "switches_off":
            documents = [checked.clauses[cite][0] for cite in provision.cites if cite in checked.clauses]
            binding = [document for document in documents if document.binds]
            if binding:
                since = provision.since or min(document.in_force_from for document in binding)
                ends = [document.in_force_until for document in binding]
                until = max(end for end in ends if end) if all(ends) else None
                checked.switch_offs.append(SwitchOff(target, layer, since, until, tuple(provision.cites), provision.title))


def _check_restatements(loaded: Loaded, checked: Checked) -> None:
    for layer, item, source, index in loaded.restatements:
        if layer not in checked.layers:
            loaded.problems.append(Problem(Place(source.file), f"文件夹“{layer}”没有 layer.yaml，也不是已有的层"))
            continue
        _check_cites(item.cites, layer, checked, source.place(index, "cites"), loaded.problems)
        rule = checked.rules.get(item.rule)
        place = source.place(index, "rule")
        if rule is None:
            loaded.problems.append(Problem(place, f"没有规则“{item.rule}”{nearest(item.rule, checked.rules)}"))
        elif rule.layer not in checked.layers[layer].chain:
            loaded.problems.append(Problem(place, f"规则“{item.rule}”属于“{rule.layer}”，在“{layer}”并不适用"))


def _check_cases(provision: ProvisionFile, source: Source, kind: FactKind, checked: Checked, loaded: Loaded) -> None:
    for index, case in enumerate(provision.cases):
        if case.at is not None and case.at not in checked.layers:
            place = source.place("cases", index, "at")
            loaded.problems.append(Problem(place, f"没有名为“{case.at}”的层{nearest(case.at, checked.layers)}"))
        for name, value in case.facts.items():
            place = source.place("cases", index, "facts", name)
            if name not in kind.columns:
                loaded.problems.append(Problem(place, f"“{kind.label}”没有“{name}”这一列{nearest(name, kind.columns)}"))
                continue
            try:
                fact_value(kind, name, value, loaded.vocabulary)
            except ValueError as error:
                loaded.problems.append(Problem(place, str(error)))


def fact_value(kind: FactKind, name: str, raw: object, vocabulary: Vocabulary) -> object:
    """A case's or caller's value as engines store it (``"20:30"`` -> 1230); raise ValueError, in Chinese, on a wrong type."""
    column = kind.columns[name]
    if raw is None:
        return None
    if column.type in ("clock", "date"):
        return read_figure(raw, column.unit_of_values)
    if column.type in ("integer", "money", "grade"):
        return read_figure(raw, column.unit_of_values)
    if column.type == "boolean":
        if not isinstance(raw, bool):
            raise ValueError(f"应当是 true 或 false，却是 {raw!r}")
        return raw
    if not isinstance(raw, str):
        raise ValueError(f"应当是文字，却是 {raw!r}")
    if column.type == "category":
        codes = vocabulary.category_of(column).names
        if raw not in codes:
            raise ValueError(f"类别“{column.of}”没有“{raw}”{nearest(raw, codes)}")
    return raw
