"""Who may do what with staff of institutions."""

from __future__ import annotations

from typing import Any

from qingdan.institutions.models import Institution
from tests.institutions.making import make_staff
from tests.rights import institutions_courses
from tests.rights.table import Row, World

_BOTH = {"institution": 200, "bureau": 200}


def prepare(world: World) -> None:
    """The institution with one member of staff."""
    institutions_courses.prepare(world)
    institution = Institution.objects.get(organisation=world.institution.organisation)
    world.records["person"] = make_staff(institution).pk


def _person(world: World) -> tuple[Any, ...]:
    return (world.records["person"],)


ROWS = {
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
