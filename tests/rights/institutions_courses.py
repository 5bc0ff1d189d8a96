"""Who may do what with courses: the institution files, the bureau reviews, nobody else is there."""

from __future__ import annotations

from typing import Any

from qingdan.institutions.models import CourseFile, Institution
from tests.institutions.making import credit_code, make_course, make_permit, make_premises
from tests.rights.table import Row, World

_BOTH = {"institution": 200, "bureau": 200}
_OWN = {"institution": 302}


def prepare(world: World) -> None:
    """The institution with a permit and a course in each state."""
    owner = world.institution.organisation
    assert owner is not None
    owner.region_code = world.district.region.code
    owner.save()
    institution = Institution.objects.create(
        organisation=owner, region=world.district.region, credit_code=credit_code(77_001), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on="2025-09-01",
    )  # fmt: skip
    permit = make_permit(institution, make_premises(institution), world.district.bureau)
    for state in ("draft", "submitted", "filed"):
        course = make_course(institution, permit, name=state, state=state)
        world.records[state] = course.pk
        file = CourseFile.objects.create(course=course, label="a", name="a.png", content_type="image/png", size_bytes=1, content=b"1")
        world.records[f"{state}_file"] = file.pk


def _of(state: str) -> Any:
    return lambda world: (world.records[state],)


def _file_of(state: str) -> Any:
    return lambda world: (world.records[state], world.records[f"{state}_file"])


ROWS = {
    "institutions:courses": Row(_BOTH),
    "institutions:course_new": Row({"institution": 200}),
    "institutions:course_aid": Row({"institution": 200}, "post"),
    "institutions:course": Row(_BOTH, args=_of("filed")),
    "institutions:course_edit": Row({"institution": 200}, args=_of("draft")),
    "institutions:course_submit": Row(_OWN, "post", args=_of("draft")),
    "institutions:course_withdraw": Row(_OWN, "post", args=_of("submitted")),
    "institutions:course_review": Row({"bureau": 302}, "post", args=_of("submitted"), data=lambda world: {"verdict": "file"}),
    "institutions:course_end": Row(_OWN, "post", args=_of("filed")),
    "institutions:course_delete": Row(_OWN, "post", args=_of("draft")),
    "institutions:course_file": Row(_BOTH, args=_file_of("filed")),
    "institutions:course_file_delete": Row(_OWN, "post", args=_file_of("draft")),
}
