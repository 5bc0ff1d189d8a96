"""Who may open the pages of supervision and charts."""

from __future__ import annotations

import datetime

from qingdan.homework.actions.register import enter
from qingdan.homework.actions.supervision import complete, draw_spot_check, save_item
from qingdan.homework.models import MonthlyReview
from tests.district import MONDAY, homework
from tests.rights.table import Row, World

OCTOBER = datetime.date(2026, 10, 1)


def prepare(world: World) -> None:
    """One class still to be checked and one that is done, both of the first school; a reviewed month of that school."""
    district, school = world.district, world.district.first
    (item,) = enter([homework(school.class_32, school.teacher, on_date=MONDAY)], by=school.teacher)
    open_check, done = (
        draw_spot_check(by=district.bureau, title=title, week_from=MONDAY, classes=[each], count=1)
        for title, each in (("一", school.class_32), ("二", school.class_31))
    )
    world.records |= {"check": open_check.pk, "open": open_check.classes.get().pk, "done": done.classes.get().pk, "item": item.pk}
    extra = save_item(checked=open_check.classes.get(), key="new", token="new", by=district.bureau, values={"content": "抄写"})
    complete(checked=done.classes.get(), by=district.bureau)
    world.records["extra"] = extra.pk
    MonthlyReview.objects.create(school=school.school, month=OCTOBER, totals={}, opinion="好", reviewed_by=district.bureau)


def of(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 200)


BUREAU = of("bureau")
LEADERS = of("bureau", "leader", "second_leader")
SENT = {"bureau": 302}


def check(world: World) -> tuple[int]:
    return (world.records["check"],)


def open_class(world: World) -> tuple[int]:
    return (world.records["open"],)


def done_class(world: World) -> tuple[int]:
    return (world.records["done"],)


ROWS = {
    "homework:checks": Row(LEADERS),
    "homework:check_new": Row(BUREAU),
    "homework:check_eligible": Row(BUREAU),
    "homework:check": Row(BUREAU, args=check),
    "homework:check_verify": Row(SENT, args=check),
    "homework:check_lots": Row(BUREAU, args=check),
    "homework:check_results": Row(BUREAU, args=check),
    "homework:check_class": Row(of("bureau", "leader"), args=done_class),
    "homework:check_item": Row(
        SENT,
        method="post",
        args=open_class,
        data=lambda world: {"key": f"h{world.records['item']}", "token": "new", f"h{world.records['item']}-is_as_published": "true"},
    ),
    "homework:check_extra_remove": Row(SENT, method="post", args=lambda world: (world.records["open"], world.records["extra"])),
    "homework:check_rest": Row(SENT, method="post", args=open_class),
    "homework:check_complete": Row(SENT, method="post", args=open_class),
    "homework:check_reopen": Row(SENT, method="post", args=done_class),
    "homework:reviews": Row(LEADERS),
    "homework:review": Row(of("bureau", "leader"), args=lambda world: (world.district.first.school.pk, 2026, 10)),
    "homework:reviews_export": Row(BUREAU),
    "homework:standing": Row(BUREAU),
    "homework:standing_export": Row(BUREAU),
    "homework:charts": Row(LEADERS),
    "homework:chart": Row(of("bureau", "leader"), args=lambda world: ("by-grade",)),
    "homework:chart_table": Row(LEADERS, args=lambda world: ("by-grade",)),
}
