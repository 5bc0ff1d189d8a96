"""Who may open the timetable."""

from __future__ import annotations

from collections.abc import Callable

from qingdan.institutions.models import Institution, WeeklyPlan
from tests.district import MONDAY, TUESDAY
from tests.institutions.making import LONG_AGO, credit_code, make_course, make_permit, make_premises, make_room, make_staff
from tests.institutions.timetabling import EIGHT, EVENING
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """The institution of the cast teaches: one plan with one session."""
    district, owner = world.district, world.institution.employer
    owner.region_code = district.region.code
    owner.save()
    institution = Institution.objects.create(
        organisation=owner, region=district.region, credit_code=credit_code(900_001), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on=LONG_AGO,
    )  # fmt: skip
    premises = make_premises(institution)
    room, teacher = make_room(premises), make_staff(institution)
    course = make_course(institution, make_permit(institution, premises, district.bureau))
    clocks = {"starts_at": EVENING, "ends_at": EIGHT, "room": room, "teacher": teacher}
    plan = WeeklyPlan.objects.create(course=course, weekday="2", first_day=MONDAY, last_day=TUESDAY, **clocks)
    session = plan.sessions.create(institution=institution, course=course, on_date=TUESDAY, **clocks)
    world.records |= {"institution": institution.pk, "room": room.pk, "plan": plan.pk, "session": session.pk}


OWN, SENT = {"institution": 200}, {"institution": 302}
BOTH, BUREAU = {"institution": 200, "bureau": 200}, {"bureau": 200}


def of(name: str) -> Callable[[World], tuple[int]]:
    """The number of a record as the address's argument."""
    return lambda world: (world.records[name],)


ROWS = {
    "institutions:timetable": Row({"institution": 200, "bureau": 302}),
    "institutions:timetable_today": Row(BUREAU),
    "institutions:timetable_of": Row(BUREAU, args=of("institution")),
    "institutions:timetable_export": Row(BOTH, args=of("institution")),
    "institutions:timetable_plans": Row(OWN),
    "institutions:timetable_plan_end": Row(SENT, method="post", args=of("plan")),
    "institutions:timetable_new": Row(OWN),
    "institutions:timetable_trial": Row(OWN, method="post"),
    "institutions:timetable_copy": Row(OWN),
    "institutions:timetable_import": Row(OWN),
    "institutions:timetable_template": Row(OWN),
    "institutions:timetable_undo": Row(SENT, method="post"),
    "institutions:session": Row(BOTH, args=of("session")),
    "institutions:session_cancel": Row(SENT, method="post", args=of("session")),
    "institutions:session_restore": Row(SENT, method="post", args=of("session")),
    "institutions:rooms": Row(OWN),
    "institutions:room": Row(OWN, args=of("room")),
}
