"""Findings as JSON and csv. The JSON's shape is documented in ``docs/audit.md`` and changes only by addition."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any

from qingdan.audit.model import Audit
from qingdan.policy.findings import Finding, show_value
from qingdan.policy.pack import Limit, Pack
from qingdan.policy.units import CLOCK, show_clock

CSV_COLUMNS = ("规则", "标题", "结论", "对象", "日期", "说明", "所见", "限值", "限值出处", "依据", "文件", "表", "行", "整改建议")


def plain(value: object, *, is_clock: bool = False) -> object:
    """A value as JSON holds it: days as ``2026-11-17``, clocks as ``21:30``."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if is_clock and isinstance(value, int):
        return show_clock(value)
    return value


def cites_of(finding: Finding, pack: Pack) -> list[dict[str, str]]:
    """The clauses that a finding stands on: the rule's, and those that set the limits, each once."""
    ids = dict.fromkeys(
        [
            *(cite for limit in finding.limits for cite in limit.statement.cites),
            *pack.cites_at(finding.rule, at=finding.place, on=finding.date),
        ]
    )
    found = []
    for clause_id in ids:
        document, clause = pack.clauses[clause_id]
        found.append({"clause": clause_id, "document": document.title, "locator": clause.locator, "layer": document.layer})
    return found


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "parameter": limit.parameter.name,
        "label": limit.parameter.label,
        "value": plain(limit.value, is_clock=limit.parameter.unit == CLOCK),
        "unit": str(limit.parameter.unit),
        "text": limit.text,
        "layer": limit.statement.layer,
        "from": limit.statement.since.isoformat(),
        "cites": list(limit.statement.cites),
    }


def finding_as_dict(finding: Finding, pack: Pack) -> dict[str, Any]:
    """One finding in the documented shape."""
    columns = pack.vocabulary.kinds[finding.kind].columns
    first = finding.sources[0] if finding.sources else None
    return {
        "rule": finding.rule.id,
        "title": finding.rule.title,
        "verdict": finding.verdict.value,
        "layer": finding.place,
        "rule_layer": finding.rule.layer,
        "cites": cites_of(finding, pack),
        "kind": finding.kind,
        "subject": finding.subject,
        "date": plain(finding.date),
        "observed": {name: plain(value, is_clock=columns[name].type == "clock") for name, value in finding.observed.items()},
        "missing": [columns[name].label for name in finding.missing],
        "limits": [_limit(limit) for limit in finding.limits],
        "sentence": finding.sentence,
        "source": {
            "file": first.file if first else None,
            "sheet": first.sheet if first else None,
            "row": first.rows[0] if first and first.rows else None,
            "rows": list(first.rows) if first else [],
        },
        "more_sources": [{"file": each.file, "sheet": each.sheet, "rows": list(each.rows)} for each in finding.sources[1:]],
        "remedy": finding.rule.remedy,
    }


def _not_judged(audit: Audit) -> list[dict[str, Any]]:
    return [
        {
            "rule": each.rule.id,
            "title": each.rule.title,
            "file": each.file or None,
            "sheet": each.sheet,
            "missing": list(each.missing),
            "count": each.count,
        }
        for each in audit.not_judged
    ]


def _parts(audit: Audit) -> Iterator[tuple[str, Any]]:
    yield "layer", audit.layer
    yield "summary", asdict(audit.summary)
    yield "findings", (finding_as_dict(finding, audit.pack) for finding in audit.findings())
    yield "unreadable", [asdict(each) for each in audit.unreadable]
    yield "not_judged", _not_judged(audit)
    yield "skipped", [asdict(each) for each in audit.skipped]


def audit_as_dict(audit: Audit) -> dict[str, Any]:
    """A whole audit in the documented shape; all findings in memory."""
    return {name: value if isinstance(value, str | dict | list) else list(value) for name, value in _parts(audit)}


def write_json(audit: Audit, out: IO[str]) -> None:
    """The documented JSON, findings streamed one a line."""
    out.write("{\n")
    for number, (name, value) in enumerate(_parts(audit)):
        out.write(",\n" if number else "")
        out.write(f"  {json.dumps(name)}: ")
        if isinstance(value, str | dict):
            out.write(json.dumps(value, ensure_ascii=False))
            continue
        out.write("[")
        for index, item in enumerate(value):
            out.write((",\n    " if index else "\n    ") + json.dumps(item, ensure_ascii=False))
        out.write("]")
    out.write("\n}\n")


def finding_row(finding: Finding, pack: Pack) -> list[str]:
    """One finding as a row under CSV_COLUMNS."""
    kind = pack.vocabulary.kinds[finding.kind]
    observed = "；".join(f"{kind.columns[name].label}：{show_value(kind, name, value, pack)}" for name, value in finding.observed.items())
    return [
        finding.rule.id,
        finding.rule.title,
        finding.verdict.label,
        finding.subject,
        finding.date.isoformat() if finding.date else "",
        finding.sentence,
        observed,
        "；".join(f"{limit.parameter.label}：{limit.text}" for limit in finding.limits),
        "；".join(dict.fromkeys(pack.layers[limit.statement.layer].name for limit in finding.limits)),
        "；".join(f"{pack.clauses[cite['clause']][0].short} {cite['locator']}" for cite in cites_of(finding, pack)),
        "；".join(source.file for source in finding.sources),
        "；".join(source.sheet or "" for source in finding.sources),
        "；".join("、".join(map(str, source.rows)) for source in finding.sources),
        finding.rule.remedy,
    ]


def write_csv(audit: Audit, out: IO[str]) -> None:
    """Findings as csv with a Chinese header, readable by Excel when written as UTF-8 with BOM."""
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for finding in audit.findings():
        writer.writerow(finding_row(finding, audit.pack))
