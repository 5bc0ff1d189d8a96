"""Which institutions have prepaid tuition in custody, how much is sold, and who of them runs away."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from qingdan.accounts.models import User
from qingdan.demo.plan import INSTITUTION, INSTITUTION_SHANGHAI, INSTITUTION_XINJIANG
from qingdan.escrow.deadlines import answer_until, refund_due_on, silence_until
from qingdan.escrow.enums import SupervisionMode
from qingdan.escrow.models import CustodyAgreement
from qingdan.institutions.models import Course, Institution

DAY = datetime.timedelta(days=1)
FRIDAY = 4
#: Sold well while its lessons thin out, its staff leave and its account is emptied: closed when the officers come.
RUNAWAY = "松涛棋院（虚构）"
#: Slow to teach, slow to give back, and with less in its reserve than agreed: watched, but no runaway.
STRUGGLING = "金桥文化培训学校（虚构）"
#: So many days ago it stopped teaching, having taught less and less.
NO_LESSONS_FOR, THINNING_FOR = 13, 27
#: What the accounts find: the parent's children go here.
OF_THE_STORY = (INSTITUTION, "晨星艺术中心（虚构）", "飞跃体育俱乐部（虚构）")
#: From so many days ago on the institution with an account has not recorded its sessions.
UNRECORDED = 6
#: Its fees were filed past the check, above the guided price.
OVERPRICED = "宏图学科培训学校（虚构）"
#: In custody whatever the draw says; the others by turns.
ALWAYS = (RUNAWAY, STRUGGLING, *OF_THE_STORY, OVERPRICED, INSTITUTION_SHANGHAI, INSTITUTION_XINJIANG)
_MODES = {
    INSTITUTION: SupervisionMode.CUSTODY, "晨星艺术中心（虚构）": SupervisionMode.CUSTODY, RUNAWAY: SupervisionMode.CUSTODY,
    OVERPRICED: SupervisionMode.CUSTODY, STRUGGLING: SupervisionMode.RESERVE,
    "飞跃体育俱乐部（虚构）": SupervisionMode.RESERVE,
    INSTITUTION_SHANGHAI: SupervisionMode.TRANSFER, INSTITUTION_XINJIANG: SupervisionMode.RESERVE,
}  # fmt: skip
_BY_TURNS = (SupervisionMode.CUSTODY,) * 5 + (SupervisionMode.RESERVE,) * 2 + (SupervisionMode.TRANSFER,)
BANKS = ("示例银行示范支行", "示例农商银行清河支行", "示例城市银行东湖支行")
#: In the whole district, and contracts of each; a smaller district sells less.
AGREEMENTS, CONTRACTS, CONTRACTS_OF_FEW = 60, 25, 8
#: The runaway sold more than others, at a discount for those who paid again.
OF_RUNAWAY = 36
#: The bank's daily statements of the last days; before them one a week.
DAILY = 14
#: How far back days are reconciled and scored.
RECONCILED, SCORED = 45, 30
GUIDED_FEN = 4_000
OVERPRICED_BY_FEN = 600
RESERVE_FLOOR_FEN = 3_000_000
#: In percent of the floor: what lies in a reserve.
RESERVE_PERCENT, RESERVE_PERCENT_OF_STRUGGLING = 125, 88
REFUND_WORKING_DAYS = 10
REFUND_CONDITIONS = "开课前全额退费；开课后退还未上课时的费用"
REFUND_PROCEDURE = "家长在平台申请，机构答复后由监管银行原路退回"


def mode_of(name: str, number: int) -> SupervisionMode:
    """Under which mode an institution's money lies."""
    return _MODES.get(name, _BY_TURNS[number % len(_BY_TURNS)])


@dataclass(frozen=True)
class Slot:
    """A session that was taught, or should have been; times in minutes after midnight."""

    on: datetime.date
    starts_at: int
    ends_at: int
    #: In the timetable; None for days before it.
    number: int | None = None


@dataclass
class Offer:
    """A course with its fee and all its sessions until yesterday, in order."""

    course: Course
    price_fen: int
    slots: list[Slot] = field(default_factory=list)
    #: As the timetable has it now.
    lessons_a_week: int = 0

    def lessons_of(self, slot: Slot) -> int:
        """How many lessons a session holds."""
        return max(1, (slot.ends_at - slot.starts_at) // self.course.lesson_minutes)


@dataclass
class House:
    """An institution in custody, with what its contracts need."""

    institution: Institution
    clerk: User
    officer: User
    agreement: CustodyAgreement
    offers: list[Offer] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The organisation's."""
        return self.institution.organisation.name

    @property
    def layer_code(self) -> str:
        """The law that applies."""
        return self.institution.organisation.layer_code

    @property
    def mode(self) -> SupervisionMode:
        """How its money lies."""
        return SupervisionMode(self.agreement.mode)

    @property
    def is_runaway(self) -> bool:
        """Whether it is the one."""
        return self.name == RUNAWAY


class Deadlines:
    """The deadlines of the product, remembered: thousands of lessons were recorded on few days."""

    def __init__(self) -> None:
        self._silence: dict[tuple[str, datetime.date], datetime.date | None] = {}
        self._answer: dict[tuple[str, datetime.date], datetime.date | None] = {}
        self._due: dict[tuple[str, datetime.date, int], datetime.date] = {}

    def silence(self, layer_code: str, day: datetime.date) -> datetime.date | None:
        """The last day for an objection; None where silence counts for nothing."""
        key = layer_code, day
        if key not in self._silence:
            self._silence[key] = silence_until(*key)
        return self._silence[key]

    def answer(self, layer_code: str, day: datetime.date) -> datetime.date | None:
        """The last day for an institution's answer to a refund."""
        key = layer_code, day
        if key not in self._answer:
            self._answer[key] = answer_until(*key)
        return self._answer[key]

    def due(self, layer_code: str, day: datetime.date, working_days: int) -> datetime.date:
        """The day by which a refund is promised."""
        key = layer_code, day, working_days
        if key not in self._due:
            self._due[key] = refund_due_on(*key)
        return self._due[key]


def next_bank_day(day: datetime.date) -> datetime.date:
    """The next Monday to Friday after a day."""
    day += DAY
    while day.weekday() > FRIDAY:
        day += DAY
    return day
