"""Who may do what with staff of institutions."""

from __future__ import annotations

from typing import Any

from qingdan.institutions.models import Institution, StaffImport
from tests.institutions.making import make_staff
from tests.rights import institutions_courses
from tests.rights.table import Row, World

_BOTH = {"institution": 200, "bureau": 200}


def prepare(world: World) -> None:
    """The institution with one member of staff."""
    institutions_courses.prepare(world)
    institution = Institution.objects.get(organisation=world.institution.organisation)
    world.records["person"] = make_staff(institution).pk
    world.records["import"] = StaffImport.objects.create(institution=institution, file_name="a.xlsx", uploaded_by=world.institution).pk


def _person(world: World) -> tuple[Any, ...]:
    return (world.records["person"],)


def _import(world: World) -> tuple[Any, ...]:
    return (world.records["import"],)


ROWS = {
    "institutions:staff_imports": Row({"institution": 200}),
    "institutions:staff_template": Row({"institution": 200}),
    "institutions:staff_import": Row({"institution": 200}, args=_import),
    "institutions:staff_apply": Row({"institution": 302}, "post", args=_import),
    "institutions:staff_undo": Row({"institution": 302}, "post", args=_import),
    "institutions:staff_discard": Row({"institution": 302}, "post", args=_import),
    "institutions:staff": Row(_BOTH),
    "institutions:staff_new": Row({"institution": 200}),
    "institutions:staff_sheet": Row({"institution": 200}),
    "institutions:staff_put_up": Row({"institution": 302}, "post"),
    "institutions:staff_matched": Row({"leader": 200, "second_leader": 200}),
    "institutions:staff_member": Row(_BOTH, args=_person),
    "institutions:staff_edit": Row({"institution": 200}, args=_person),
    "institutions:staff_leave": Row({"institution": 302}, "post", args=_person, data=lambda world: {"last_day": "2026-11-16"}),
    "institutions:staff_check": Row({"bureau": 302}, "post", args=_person, data=lambda world: {"verdict": "pass", "fitting": "yes"}),
}
