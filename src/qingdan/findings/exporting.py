"""Findings as a workbook or csv, written batch by batch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import xlsxwriter
from django.utils import timezone

from qingdan.findings.enums import ANSWERS, DECISIONS
from qingdan.findings.models import Finding, FindingQuerySet

#: More than this is not exported at once; the page says so.
EXPORT_ROWS_MAX = 20_000
_BATCH = 1000
_COLUMNS: tuple[tuple[str, int], ...] = (
    ("编号", 8), ("单位", 20), ("状态", 10), ("规则", 26), ("规则标题", 24), ("事实", 14), ("对象", 20), ("日期", 12), ("日期类型", 12),
    ("说明", 48), ("所见", 36), ("限值", 28), ("限值出处", 16), ("依据", 36), ("整改建议", 36), ("首次发现", 17), ("再现次数", 8),
    ("最近答复", 12), ("答复时间", 17), ("答复说明", 36), ("最近处理", 14), ("处理时间", 17), ("处理意见", 36),
)  # fmt: skip
COLUMNS = tuple(name for name, _ in _COLUMNS)
_WITHOUT_ROWS = "没有符合条件的问题"


def rows(findings: FindingQuerySet) -> Iterator[list[str | int]]:
    """One row under COLUMNS for each finding."""
    for finding in findings.prefetch_related("events").iterator(chunk_size=_BATCH):
        yield _row(finding)


def _row(finding: Finding) -> list[str | int]:
    events = list(finding.events.all())
    answer = next((each for each in reversed(events) if each.act in ANSWERS), None)
    decision = next((each for each in reversed(events) if each.act in DECISIONS), None)
    row: list[str | int] = [
        finding.pk,
        finding.organisation.name,
        finding.get_status_display(),
        finding.rule_id,
        finding.title,
        finding.kind_label,
        finding.subject,
        finding.date.isoformat() if finding.date else "",
        finding.get_day_kind_display(),
        finding.sentence,
        "；".join(f"{each['label']}：{each['text']}" for each in finding.observed),
        "；".join(f"{each['label']}：{each['text']}" for each in finding.limits),
        "；".join(dict.fromkeys(each["layer_name"] for each in finding.limits)),
        "；".join(each["text"] for each in finding.cites),
        finding.remedy,
        f"{timezone.localtime(finding.found_at):%Y-%m-%d %H:%M}",
        finding.times_reopened,
    ]
    for event in (answer, decision):
        row += [event.get_act_display(), f"{timezone.localtime(event.at):%Y-%m-%d %H:%M}", event.reason] if event else ["", "", ""]
    return row


class _Line:
    """A file of which only the last line is kept."""

    def write(self, text: str) -> str:
        return text


def _harmless(value: str | int) -> str | int:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def csv_lines(findings: FindingQuerySet) -> Iterator[str]:
    """The lines of a csv that Excel reads as UTF-8."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for row in rows(findings):
        yield writer.writerow([_harmless(value) for value in row])


def xlsx_bytes(findings: FindingQuerySet) -> bytes:
    """A workbook; its rows wait in a file of the writer's, not in memory."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bg_color": "#0F5F59", "font_color": "#FFFFFF", "valign": "vcenter", "border": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": "#D6D3CB"})
    sheet = book.add_worksheet("问题清单")
    for index, (_, width) in enumerate(_COLUMNS):
        sheet.set_column(index, index, width)
    sheet.write_row(0, 0, COLUMNS, head)
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    number = 0
    for number, row in enumerate(rows(findings), start=1):
        sheet.write_row(number, 0, row, wrap)
    if number:
        sheet.autofilter(0, 0, number, len(COLUMNS) - 1)
    else:
        sheet.write(1, 0, _WITHOUT_ROWS, wrap)
    book.close()
    return file.getvalue()
