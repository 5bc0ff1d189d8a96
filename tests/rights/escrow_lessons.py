"""Who may open lessons, refunds and statements."""

from __future__ import annotations

from collections.abc import Callable

from qingdan.escrow.actions import lessons, refunds
from qingdan.escrow.actions.lessons import Taught
from qingdan.institutions.models import Institution, Session
from tests.district import MONDAY
from tests.escrow.making import make_agreement, make_contract
from tests.institutions.making import LONG_AGO, credit_code, make_course, make_permit, make_premises, make_room, make_staff
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """The parent of the first school has a contract with the institution of the cast: lessons in each state, a refund."""
    district, clerk = world.district, world.institution
    owner, parent = clerk.employer, district.first.parent
    owner.region_code = district.region.code
    owner.save()
    institution = Institution.objects.create(
        organisation=owner, region=district.region, credit_code=credit_code(900_002), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on=LONG_AGO,
    )  # fmt: skip
    premises = make_premises(institution)
    course = make_course(institution, make_permit(institution, premises, district.bureau))
    clocks = {"starts_at": 600, "ends_at": 640, "room": make_room(premises), "teacher": make_staff(institution)}
    session = Session.objects.create(institution=institution, course=course, on_date=MONDAY, **clocks)
    agreement = make_agreement(owner, district.bureau)
    contract, free = (make_contract(agreement, parent, clerk, course=course) for _ in range(2))
    waiting, disputed = (
        lessons.record([contract], taught=Taught(course.pk, MONDAY, at, at + 40), lessons=1, by=clerk).new[0] for at in (700, 800)
    )
    lessons.dispute(disputed, by=parent, reason="没上")
    refund = refunds.apply(contract, lessons=2, reason="搬家", by=parent)
    world.records |= {
        "session": session.pk, "contract": contract.pk, "free": free.pk, "institution": owner.pk,
        "waiting": waiting.pk, "disputed": disputed.pk, "refund": refund.pk,
    }  # fmt: skip


def of(name: str) -> Callable[[World], tuple[int]]:
    """The number of a record as the address's argument."""
    return lambda world: (world.records[name],)


OWN = {"parent": 200, "second_parent": 200}
BOTH = {"institution": 200, "bureau": 200}
PARTIES = {"parent": 200, "institution": 200, "bureau": 200}


def sent(role: str) -> dict[str, int]:
    """Who may act is sent back to a page."""
    return {role: 302}


def told_off(role: str) -> dict[str, int]:
    """Who may act and has sent nothing is shown what is missing, or that it is too early."""
    return {role: 422}


ROWS = {
    "escrow:mine": Row(OWN),
    "escrow:lessons_waiting": Row(OWN),
    "escrow:lessons_confirm": Row({"parent": 302, "second_parent": 302}, method="post"),
    "escrow:lesson_dispute": Row(sent("parent"), method="post", args=of("waiting")),
    "escrow:lesson_retract": Row(sent("parent"), method="post", args=of("disputed")),
    "escrow:lessons_of": Row(PARTIES, args=of("contract")),
    "escrow:statement": Row(PARTIES, args=of("contract")),
    "escrow:rolls": Row({"institution": 200}),
    "escrow:roll_new": Row({"institution": 200}),
    "escrow:roll": Row({"institution": 200}, args=of("session")),
    "escrow:lessons_disputed": Row(BOTH),
    "escrow:lesson_reply": Row(sent("institution"), method="post", args=of("disputed")),
    "escrow:lesson_strike": Row(sent("institution"), method="post", args=of("disputed")),
    "escrow:lesson_settle": Row(sent("bureau"), method="post", args=of("disputed")),
    "escrow:refunds": Row(PARTIES | OWN),
    "escrow:refund_apply": Row({"parent": 200}, args=of("free")),
    "escrow:refund": Row(PARTIES, args=of("refund")),
    "escrow:refund_withdraw": Row(sent("parent"), method="post", args=of("refund")),
    "escrow:refund_answer": Row(told_off("institution"), method="post", args=of("refund")),
    "escrow:refund_decide": Row(told_off("bureau"), method="post", args=of("refund")),
    "escrow:refund_tell": Row(told_off("institution"), method="post", args=of("refund")),
    "escrow:refund_receive": Row(told_off("parent"), method="post", args=of("refund")),
    "escrow:refund_pay": Row(told_off("bureau"), method="post", args=of("refund")),
    "escrow:refund_draw": Row(told_off("bureau"), method="post", args=of("refund")),
    "escrow:coming": Row({"institution": 200}),
    "escrow:closing": Row({"bureau": 200}, args=of("institution")),
}
