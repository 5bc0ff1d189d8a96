"""An audit as a workbook: findings, what was not read, and the limits applied."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from qingdan.audit.model import Audit
from qingdan.audit.writing import CSV_COLUMNS, finding_row
from qingdan.policy.pack import Limit
from qingdan.policy.provisions import Statement

_WIDTHS = (24, 20, 8, 22, 12, 48, 40, 28, 12, 36, 28, 12, 12, 40)
_UNREAD = ("文件", "表", "行", "列", "原文", "原因")
_LIMITS = ("参数", "名称", "情形", "限值", "自", "至", "由哪一层规定", "依据")
#: Excel's own limit, less the header.
MOST_ROWS = 1_048_575


def write_xlsx(audit: Audit, path: Path) -> None:
    """Write the three sheets. Findings beyond Excel's row limit are counted on the last row instead of written."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#0F766E", "font_color": "#FFFFFF", "valign": "vcenter", "border": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": "#D6D3CB"})

    def sheet(name: str, columns: tuple[str, ...], widths: tuple[int, ...]) -> xlsxwriter.workbook.Worksheet:
        made = book.add_worksheet(name)
        for index, width in enumerate(widths):
            made.set_column(index, index, width)
        made.write_row(0, 0, columns, head)
        made.freeze_panes(1, 0)
        made.set_landscape()
        made.fit_to_pages(1, 0)
        made.repeat_rows(0)
        return made

    findings = sheet("判定结果", CSV_COLUMNS, _WIDTHS)
    count = 0
    for count, finding in enumerate(audit.findings(), start=1):
        if count < MOST_ROWS:
            findings.write_row(count, 0, finding_row(finding, audit.pack), wrap)
    if count >= MOST_ROWS:
        findings.write(MOST_ROWS, 0, f"共 {count:,} 条，超出 Excel 行数，请改用 csv", wrap)
    elif count:
        findings.autofilter(0, 0, count, len(CSV_COLUMNS) - 1)
    else:
        findings.write(1, 0, "没有发现问题", wrap)

    unread = sheet("未读内容", _UNREAD, (28, 12, 8, 16, 24, 60))
    rows = [(each.file, each.sheet or "", each.row or "", each.column or "", each.value, each.reason) for each in audit.unreadable]
    rows += [(each.file, each.sheet or "", "", "", each.rule.title, each.reason) for each in audit.not_judged]
    rows += [
        (each.file, each.sheet or "", _span(each.first_row, each.last_row), "", "", f"未作为记录：{each.what}") for each in audit.skipped
    ]
    for number, row in enumerate(rows or [("", "", "", "", "", "全部读入")], start=1):
        unread.write_row(number, 0, row, wrap)

    limits = sheet("适用限值", _LIMITS, (28, 28, 20, 16, 12, 12, 16, 40))
    for number, statement in enumerate(applied_statements(audit), start=1):
        limits.write_row(number, 0, _limit_row(audit, statement), wrap)
    book.close()


def _span(first: int | None, last: int | None) -> str:
    return "" if first is None else str(first) if first == last else f"{first}–{last}"


def applied_statements(audit: Audit) -> list[Statement]:
    """The figures of the layer's chain that the rules of this audit compared with, nearest layer first in each parameter."""
    chain = audit.pack.layers[audit.layer].chain
    names = dict.fromkeys(name for hits in audit.hits for rule in hits.compiled.rules for name in audit.pack.parameters_of(rule))
    found = [each for name in names for each in audit.pack.statements.get(name, ()) if each.layer in chain]
    return sorted(found, key=lambda each: (each.parameter, chain.index(each.layer), each.cell, each.since))


def _limit_row(audit: Audit, statement: Statement) -> list[str]:
    parameter = audit.pack.parameters[statement.parameter]
    return [
        parameter.name,
        parameter.label,
        audit.pack.show_cell(parameter, statement.cell),
        Limit(parameter, statement.value, statement).text,
        statement.since.isoformat(),
        statement.until.isoformat() if statement.until else "",
        audit.pack.layers[statement.layer].name,
        "；".join(audit.pack.cite(cite) for cite in statement.cites),
    ]
