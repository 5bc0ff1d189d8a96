"""What institutions' records look like to the law where that is not plain copying."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from qingdan.institutions.models import Course, Inspection, InspectionCampaign, Institution, Permit
from qingdan.judging.law import current_law
from tests.district import District, make_region, signed_in
from tests.institutions.making import make_course, make_institution, make_permit, make_premises

FILED = "training.course-filed"
PAST, FAR = datetime.date(2026, 9, 5), datetime.date(2099, 9, 5)


def fact(kind: str, row_id: int) -> dict[str, Any]:
    """One record as the law sees it."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "facts_{kind}" WHERE row_id = %s', [row_id])
        (row,) = cursor.fetchall()
        return dict(zip([column.name for column in cursor.description or ()], row, strict=True))


def rules_broken(course: Course) -> set[str]:
    """The rules that a course breaks."""
    judged = current_law().judge_touched("training_course", row_id=course.pk)
    return {each.rule.id for one in judged for each in one.breaches}


@pytest.fixture
def permit(institution: Institution, district: District) -> Permit:
    return make_permit(institution, make_premises(institution), district.bureau)


def test_a_course_that_was_handed_in_counts_as_unfiled_only_once_it_is_taught(institution: Institution, permit: Permit) -> None:
    ahead = make_course(institution, permit, "明年的课", state="submitted", starts_on=FAR, ends_on=FAR)
    begun = make_course(institution, permit, "已开的课", state="submitted", starts_on=PAST)
    filed = make_course(institution, permit, "备案的课", starts_on=PAST)
    assert [fact("training_course", each.pk)["is_filed"] for each in (ahead, begun, filed)] == [None, False, True]
    assert FILED not in rules_broken(ahead)
    assert FILED in rules_broken(begun)
    assert FILED not in rules_broken(filed)


def test_only_an_inspection_that_was_passed_counts(institution: Institution, district: District) -> None:
    given: dict[str, Any] = {"institution": institution, "inspected_by": district.bureau}
    for year, state, day in (
        (2024, "passed", datetime.date(2024, 10, 8)),
        (2025, "failed", datetime.date(2025, 10, 9)),
        (2026, "to_correct", datetime.date(2026, 10, 10)),
    ):
        campaign = InspectionCampaign.objects.create(
            bureau=district.bureau.employer, title=f"{year}年检", year=year, report_until=day, created_by=district.bureau
        )
        Inspection.objects.create(campaign=campaign, state=state, inspected_on=day, correct_until=FAR, **given)
    assert fact("institution", institution.pk)["last_inspected_on"] == datetime.date(2024, 10, 8)


def test_what_a_reviewer_finds_in_content_and_materials_is_judged_where_the_law_asks(district: District) -> None:
    region = make_region("990301", "cn-xinjiang")
    institution = make_institution(region, "疆区艺术中心")
    permit = make_permit(institution, make_premises(institution), district.bureau)
    course = make_course(institution, permit, state="submitted", starts_on=PAST)
    assert fact("training_course", course.pk)["uses_pirated_material"] is None
    user = district.bureau
    user.employer.region_code, user.employer.layer_code = region.code, region.layer_code
    user.employer.save()
    bureau = signed_in(user)
    page = bureau.get(reverse("institutions:course", args=[course.pk])).content.decode()
    assert "低俗或违法内容" in page
    assert "盗版侵权材料" in page
    review = reverse("institutions:course_review", args=[course.pk])
    refused = bureau.post(review, {"verdict": "file", "found": ["uses_pirated_material"]})
    assert refused.status_code == 400
    assert "使用盗版或侵权的材料" in refused.content.decode()
    bureau.post(review, {"verdict": "file"})
    course.refresh_from_db()
    assert course.state == "filed"
    found = fact("training_course", course.pk)
    assert (found["is_vulgar_or_unlawful"], found["uses_pirated_material"]) == (False, False)
