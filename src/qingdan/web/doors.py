"""The doors of the house: what stands in the menu of each role."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User


@dataclass(frozen=True)
class Door:
    """One entry of the menu."""

    label: str
    page: str
    #: The page belongs to this entry when its URL name begins so.
    covers: tuple[str, ...]

    @property
    def url(self) -> str:
        """Where it leads."""
        return reverse(self.page)


PUBLIC = Door("公示大厅", "public:home", ("public:",))
LIBRARY = Door("政策库", "library:home", ("library:",))
UPLOADS = Door("表格体检", "uploads:list", ("uploads:",))
CALENDAR = Door("校历", "places:calendar", ("places:",))
FINDINGS = Door("问题清单", "findings:list", ("findings:",))
REGISTER = Door(
    "作业", "homework:today", ("homework:today", "homework:new", "homework:item", "homework:edit", "homework:board", "homework:settle")
)
DISCLOSURES = Door("公示", "homework:disclosures", ("homework:disclosures", "homework:publish", "homework:disclosure"))
DESIGNS = Door("作业设计", "homework:designs", ("homework:design",))
COMPLETION = Door("完成情况", "homework:minutes", ("homework:minutes", "homework:finish", "homework:marking"))
SCHOOL = Door("学校", "schools:list", ("schools:",))
#: Spot checks, reviews, standing and charts are tabs of one another.
SUPERVISION = Door("监管", "homework:checks", ("homework:check", "homework:review", "homework:standing", "homework:chart"))
CHARTS = Door("图表", "homework:charts", ("homework:chart",))
FAMILY = Door("孩子的作业", "homework:family", ("homework:family", "homework:minutes"))
REGISTRY = Door(
    "机构",
    "institutions:registry",
    (
        "institutions:registry",
        "institutions:institution",
        "institutions:chart",
        "institutions:register",
        "institutions:permit",
        "institutions:timetable_today",
    ),
)
QUEUE = Door("审批", "institutions:queue", ("institutions:queue", "institutions:application", "institutions:deadlines"))
OWN_INSTITUTION = Door("本机构", "institutions:mine", ("institutions:mine", "institutions:institution"))
APPLICATIONS = Door("申请", "institutions:applications", ("institutions:application",))
COURSES = Door("课程", "institutions:courses", ("institutions:course",))
STAFF = Door("人员", "institutions:staff", ("institutions:staff",))
TIMETABLE = Door("课表", "institutions:timetable", ("institutions:timetable", "institutions:session", "institutions:room"))
#: Yearly inspections, advertisements and activities are tabs of one another.
PATROL = Door("巡查", "institutions:inspections", ("institutions:inspection", "institutions:advertisement", "institutions:activit"))
#: Contracts, prices, lessons, refunds and money are tabs of one another.
TUITION = Door("培训费", "escrow:mine", ("escrow:",))
PREPAID = Door("预收费", "escrow:rolls", ("escrow:",))
PREPAID_WATCH = Door("预收费", "escrow:watch", ("escrow:",))
DIRECTORY = Door("查机构", "directory:home", ("directory:", "institutions:applications_public", "institutions:permit_check"))

#: What a role works with, in one line.
MENUS: dict[str, tuple[Door, ...]] = {
    Role.BUREAU: (FINDINGS, SUPERVISION, COMPLETION, SCHOOL, REGISTRY, QUEUE, PATROL, PREPAID_WATCH),
    Role.SCHOOL_LEADER: (REGISTER, DISCLOSURES, COMPLETION, DESIGNS, CHARTS, FINDINGS, SCHOOL),
    Role.TEACHER: (REGISTER, DISCLOSURES, COMPLETION, DESIGNS, SCHOOL),
    Role.PARENT: (FAMILY, TUITION, CALENDAR, PUBLIC, LIBRARY),
    Role.INSTITUTION: (OWN_INSTITUTION, APPLICATIONS, STAFF, COURSES, TIMETABLE, PREPAID, PATROL, FINDINGS),
    Role.DEPARTMENT: (FINDINGS, REGISTRY, QUEUE, PATROL, STAFF, COURSES, PREPAID_WATCH),
}
#: What it looks up now and then, folded under “更多”.
MORE: dict[str, tuple[Door, ...]] = {
    Role.BUREAU: (STAFF, COURSES, CALENDAR, UPLOADS, PUBLIC, DIRECTORY, LIBRARY),
    Role.SCHOOL_LEADER: (CALENDAR, UPLOADS, PUBLIC, LIBRARY),
    Role.TEACHER: (CALENDAR, UPLOADS, PUBLIC, LIBRARY),
    Role.INSTITUTION: (CALENDAR, UPLOADS, DIRECTORY, LIBRARY),
    Role.DEPARTMENT: (CALENDAR, UPLOADS, DIRECTORY, LIBRARY),
}
#: What each role does most, as large buttons on the home page.
QUICK: dict[str, tuple[Door, ...]] = {
    Role.BUREAU: (FINDINGS, CHARTS, SUPERVISION),
    Role.SCHOOL_LEADER: (REGISTER, DISCLOSURES, FINDINGS),
    Role.TEACHER: (Door("登记作业", "homework:new", ()), REGISTER, DESIGNS),
    Role.PARENT: (FAMILY, TUITION, PUBLIC),
    Role.INSTITUTION: (TIMETABLE, COURSES, FINDINGS),
    Role.DEPARTMENT: (QUEUE, REGISTRY, FINDINGS),
}
#: An institution before its first permit.
FOUNDERS = (APPLICATIONS, FINDINGS, UPLOADS, DIRECTORY, LIBRARY)
SIGNED_OUT = (PUBLIC, DIRECTORY, LIBRARY, UPLOADS)


def doors_for(user: User | AnonymousUser) -> tuple[Door, ...]:
    """The menu of a user, or of somebody not signed in."""
    if not isinstance(user, User):
        return SIGNED_OUT
    return FOUNDERS if _is_founder(user) else MENUS[user.role]


def more_doors_for(user: User | AnonymousUser) -> tuple[Door, ...]:
    """What is folded under “更多” beside it; nothing where the menu is short."""
    if not isinstance(user, User) or _is_founder(user):
        return ()
    return MORE.get(user.role, ())


def _is_founder(user: User) -> bool:
    """Whether the user acts for an institution that stands in no register yet: it can apply for a permit, and has nothing else."""
    return user.role == Role.INSTITUTION and not hasattr(user.employer, "institution")


def quick_for(user: User) -> tuple[Door, ...]:
    """The large buttons of a user's home page."""
    return (APPLICATIONS, UPLOADS) if _is_founder(user) else QUICK[user.role]
