"""The long lists of the library as HTML. They depend on the pack and on what is looked for alone, so each is written once and kept."""

from __future__ import annotations

import datetime
from functools import lru_cache

from django.template.loader import render_to_string

from qingdan.library import reading
from qingdan.library.blanks import asked_columns, what_to_write
from qingdan.policy.pack import Pack

#: Everybody asks for the whole list, and few for the same words: so many lists of at most 200 kB are kept.
_KEPT = 32


@lru_cache(maxsize=_KEPT)
def limits(pack: Pack, text: str) -> str:
    """Every limit: layers and dates, stricter or looser than above, with citation."""
    tables = [
        table
        for name, table in reading.figure_tables(pack).items()
        if reading.contains(text, [name, table.parameter.label, *(f"{each.layer.name} {each.text} {each.case}" for each in table.figures)])
    ]
    return render_to_string("library/includes/parameters.html", {"tables": tables, "q": text, "subjects": reading.subject_labels(pack)})


@lru_cache(maxsize=_KEPT)
def rules(pack: Pack, text: str, subject: str, layer: str, on: datetime.date) -> str:
    """Every rule by subject; with a layer, those in force there on a day."""
    labels = reading.subject_labels(pack)
    found = [
        rule
        for rule in sorted(pack.rules.values(), key=lambda rule: (list(labels).index(rule.subject), rule.id))
        if (not subject or rule.subject == subject)
        and (not layer or pack.rule_is_on(rule, at=layer, on=on))
        and reading.contains(text, [rule.id, rule.title, rule.says, rule.remedy, *map(pack.cite, rule.cites)])
    ]
    rows = [(labels[rule.subject], rule, pack.layers[rule.layer], [(cite, pack.cite(cite)) for cite in rule.cites]) for rule in found]
    return render_to_string("library/includes/rules.html", {"rows": rows, "is_filtered": bool(text or subject or layer)})


@lru_cache(maxsize=4)
def kinds(pack: Pack) -> str:
    """How to name the columns of a workbook, kind by kind."""
    shown = [
        (each.subject, each.kind, [(column, what_to_write(column, pack)) for column in asked_columns(each.kind).values()], each.rules)
        for each in reading.shown_kinds(pack)
    ]
    return render_to_string("library/includes/kinds.html", {"kinds": shown})
