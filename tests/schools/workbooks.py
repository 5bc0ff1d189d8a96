"""Workbooks as schools send them, for tests."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from qingdan.schools.models import RollImport

Rows = Iterable[Sequence[object]]
PUPIL_HEAD = ["班级", "学号", "姓名"]
STAFF_HEAD = ["姓名", "用户名", "学科", "任教班级", "班主任", "年级组长", "教研组长"]


def xlsx(*sheets: tuple[str, Rows]) -> bytes:
    """A workbook with named sheets."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(content: bytes) -> list[list[object]]:
    """The rows of a workbook's first sheet."""
    return [list(row) for row in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)]


def send(client: Client, content: bytes, kind: str = "pupils", name: str = "名册.xlsx", day: str = "2026-11-16") -> str:
    """Upload a roll as the page does; what the next page says."""
    data = {"kind": kind, "workbook": SimpleUploadedFile(name, content), "effective_on": day}
    return client.post(reverse("schools:rolls"), data, follow=True).content.decode()


def send_rows(client: Client, rows: Rows, kind: str = "pupils", day: str = "2026-11-16") -> RollImport:
    """Upload rows under the usual header and give back the preview."""
    head = PUPIL_HEAD if kind == "pupils" else STAFF_HEAD
    send(client, xlsx(("名册", [head, *rows])), kind, day=day)
    return RollImport.objects.latest("pk")


def post(client: Client, name: str, roll: RollImport, **data: object) -> str:
    """Press a button of a roll's page."""
    return client.post(reverse(f"schools:{name}", args=[roll.pk]), data, follow=True).content.decode()


def acts(roll: RollImport) -> list[str]:
    """What each row does."""
    return list(roll.rows.values_list("act", flat=True))
