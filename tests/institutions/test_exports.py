"""Lists taken along: what the page shows, nothing of anybody else, in few queries."""

from __future__ import annotations

import datetime
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from qingdan.institutions.models import Application, Listing
from tests.district import MONDAY, District, signed_in
from tests.institutions.applying import make_applicant, make_application, make_department
from tests.institutions.making import make_institution, make_permit
from tests.institutions.timetabling import make_school

DAY = datetime.timedelta(days=1)


def rows(client: Client, name: str, **filters: str) -> list[tuple[object, ...]]:
    """The rows of a workbook without its head."""
    answer = client.get(reverse(name), filters)
    assert answer.status_code == 200
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    return list(sheet.iter_rows(min_row=2, values_only=True))


def test_permits_as_the_list_filters_them(district: District) -> None:
    school = make_school(district.region, district.bureau)
    other = make_institution(district.region, "另一家")
    make_permit(other, None, district.bureau, ends_on=MONDAY + 9 * DAY)
    found = rows(signed_in(district.bureau), "institutions:permits_export", within="30")
    assert [(row[1], row[2], row[8]) for row in found] == [("另一家", "线上", "2026-11-25")]
    assert [row[1] for row in rows(signed_in(school.clerk), "institutions:permits_export")] == [school.institution.name]
    officer = make_department(district.region, "culture")
    assert [row[1] for row in rows(signed_in(officer), "institutions:permits_export")] == ["另一家"]


def test_the_queue_with_what_is_overdue(district: District) -> None:
    for number, department in enumerate(("culture", "sports")):
        made = make_application(make_applicant(district.region, f"申请者{number}"), papers=False)
        Application.objects.filter(pk=made.pk).update(
            state="accepted", department=department, second_department="", due_on=MONDAY - DAY, applied_on=MONDAY - 9 * DAY
        )
    found = rows(signed_in(district.bureau), "institutions:queue_export")
    assert [(row[0], row[6], row[9]) for row in found] == [("申请者0", "已受理，部门审查中", "是"), ("申请者1", "已受理，部门审查中", "是")]
    officer = make_department(district.region, "sports")
    assert [row[0] for row in rows(signed_in(officer), "institutions:queue_export", due="late")] == ["申请者1"]


def test_courses_with_prices_and_no_drafts_for_the_bureau(district: District) -> None:
    school = make_school(district.region, district.bureau)
    school.course.pk, school.course.name, school.course.state = None, "草稿课", "draft"
    school.course.save()
    found = rows(signed_in(district.bureau), "institutions:courses_export")
    assert [(row[1], row[10], row[13]) for row in found] == [("数学提高", 80, "已备案")]
    assert {row[1] for row in rows(signed_in(school.clerk), "institutions:courses_export")} == {"数学提高", "草稿课"}
    page = signed_in(district.bureau).get(reverse("institutions:courses"), {"state": "filed"}).content.decode()
    assert reverse("institutions:courses_export") + "?state=filed" in page


def test_anybody_takes_the_white_and_the_black_list_along(district: District) -> None:
    institution = make_institution(district.region, "=HYPERLINK 机构")
    Listing.objects.create(institution=institution, colour="black", since=MONDAY, reason="卷款", decided_by=district.bureau)
    found = rows(Client(), "directory:lists_export")
    assert found == [("黑名单", "=HYPERLINK 机构", institution.credit_code, "2026-11-16", "卷款", None, None)]
    assert reverse("directory:lists_export") in Client().get(reverse("directory:lists")).content.decode()


@pytest.mark.parametrize("name", ["permits_export", "queue_export", "courses_export"])
def test_as_many_queries_for_few_as_for_many(name: str, district: District) -> None:
    client, counts = signed_in(district.bureau), []
    for number in (1, 5):
        for at in range(number):
            school = make_school(district.region, district.bureau, prefix=f"{number}{at}")
            made = make_application(make_applicant(district.region, f"申请者{number}{at}"), papers=False)
            Application.objects.filter(pk=made.pk).update(state="submitted", applied_on=MONDAY)
            assert school.course.pk
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse(f"institutions:{name}"))
        counts.append(len(seen))
    assert counts[0] == counts[1]
