"""Who may do what in the design library."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from qingdan.homework.models import Design, DesignFile
from tests.district import subject
from tests.rights.table import Row, World

_STAFF = {"leader": 200, "grade_head": 200, "teacher": 200, "other_teacher": 200}
_OTHER_STAFF = {f"second_{role}": 200 for role in ("leader", "teacher")}
_NOT_PARENTS = {**_STAFF, **_OTHER_STAFF, "bureau": 200}


def prepare(world: World) -> None:
    """A design of 数学 by the teacher in each state, with a file."""
    school = world.district.first
    for status in ("draft", "submitted", "published"):
        signed = {"reviewed_by": school.grade_head, "reviewed_at": timezone.now()} if status == "published" else {}
        design = Design.objects.create(
            school=school.school, subject=subject("数学"), author=school.teacher, grade=3, unit="周长", title=status, content="量一量",
            intent="联系生活", tier="basic", form="practical", homework_minutes=10, origin="own", status=status, **signed,
        )  # fmt: skip
        file = DesignFile.objects.create(design=design, name="a.png", content_type="image/png", size_bytes=1, content=b"1")
        world.records |= {status: design.pk, f"{status}_file": file.pk}


def _of(status: str) -> Any:
    return lambda world: (world.records[status],)


def _file_of(status: str) -> Any:
    return lambda world: (world.records[status], world.records[f"{status}_file"])


ROWS = {
    "homework:designs": Row(_NOT_PARENTS),
    "homework:design_new": Row({**_STAFF, **_OTHER_STAFF}),
    "homework:design": Row({**_STAFF, "bureau": 200}, args=_of("published")),
    "homework:design_edit": Row({"teacher": 200}, args=_of("draft")),
    "homework:design_submit": Row({"teacher": 302}, "post", args=_of("draft")),
    "homework:design_review": Row({"grade_head": 302}, "post", args=_of("submitted"), data=lambda world: {"verdict": "publish"}),
    "homework:design_withdraw": Row(
        {"grade_head": 302, "teacher": 302}, "post", args=_of("published"), data=lambda world: {"reason": "重复"}
    ),
    "homework:design_delete": Row({"teacher": 302}, "post", args=_of("draft")),
    # Whoever may read it is told that only use allows to rate.
    "homework:design_rate": Row(dict.fromkeys(_STAFF, 302), "post", args=_of("published"), data=lambda world: {"stars": "5"}),
    "homework:design_file": Row({**_STAFF, "bureau": 200}, args=_file_of("published")),
    "homework:design_file_delete": Row({"teacher": 302}, "post", args=_file_of("draft")),
}
