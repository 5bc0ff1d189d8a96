"""Every weight and threshold of the score, in one table, with the reason for each.

No document gives figures for a score: these are the house's own, and each part says on the page what it counted. Where the law has a
figure (from which sum a flow is large) it comes from the pack and stands nowhere here. The most points sum to a hundred.

A part is a sum of shares: so many points when a number has reached ``full``, in proportion below, none up to ``free``. Each share only
grows with its number, so more of what is bad never lowers a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qingdan.escrow.enums import RiskLevel


@dataclass(frozen=True)
class Share:
    """How a number becomes points."""

    points: int
    #: From here on all points.
    full: int
    #: Up to here none.
    free: int = 0
    #: What is counted, in what, and why so.
    counted: str = ""
    unit: str = ""
    reason: str = ""

    def of(self, number: int) -> int:
        """The points for a number; whole points, rounded up, so that anything above ``free`` shows."""
        beyond = min(number, self.full) - self.free
        return 0 if beyond <= 0 else -(-self.points * beyond // (self.full - self.free))


@dataclass(frozen=True)
class Part:
    """One of the things that are looked at."""

    label: str
    shares: Mapping[str, Share]
    #: Clauses that ask for it, those of the institution's own layers are shown.
    cites: tuple[str, ...]
    #: What an officer should do about it, a line of the plan that is proposed.
    remedy: str

    @property
    def points_most(self) -> int:
        """The most points."""
        return sum(share.points for share in self.shares.values())


#: Days that count as lately for flows; before them lies the institution's own past.
FLOW_DAYS, PAST_DAYS = 30, 90
#: A payment out of the account is unusual beside the institution's own past when it is so many times the average one,
#: there were so many before, and it is worth looking at (fen).
UNUSUAL_TIMES, UNUSUAL_COUNT, UNUSUAL_FEN = 5, 10, 1_000_000
#: Complaints older than this say nothing of today.
COMPLAINT_DAYS = 90

PARTS: Mapping[str, Part] = {
    "custody": Part(
        "监管资金低于应有",
        {
            "short_percent": Share(20, 20, 0, "缺口占应有", "%", "缺口占应有两成，家长五分之一的钱没有着落，按最重计；差一分钱也计分"),
            "silent_days": Share(5, 10, 3, "没有对账单", " 天", "对账单每天应有；迟三天可能是银行系统，迟十天就是没有人看着"),
        },
        ("s0.prepaid.custody", "s0.prepaid.risk-reserve", "s4.prepaid.custody", "s4.prepaid.reserve", "s2.fee.third-party-custody"),
        "向监管银行核实余额和去向，责令机构三日内补足；补足前暂停划拨，不得再收预收费。",
    ),
    "refunds": Part(
        "退费积压",
        {
            "overdue_count": Share(10, 5, 0, "逾期退费", " 件", "逾期一件可能是疏漏，五件就是退不出来"),
            "overdue_days": Share(8, 20, 0, "最久逾期", " 天", "约定期限过了二十天仍不退，与不退没有两样"),
            "open_percent": Share(7, 30, 2, "办理中的退费占预收费", "%", "随时都有零星退费；三成的预收费同时要退，就是挤兑"),
        },
        ("s1.fees.prevent-refund-trouble", "s1.risk.plan-refunds", "s4.prepaid.prevent", "s2.fee.refund-rules"),
        "逐件核对逾期退费，约谈负责人，订出退清的日期；退不出的动用监管资金或储备金。",
    ),
    "lessons": Part(
        "上课慢于所售",
        {
            "behind_percent": Share(10, 50, 10, "落后占应上", "%", "请假和节假日会差一成；合同时间过了而课少上一半，课是上不完的"),
            "idle_days": Share(5, 21, 7, "没有上课", " 天", "有未上的课而一周没有上课可能是放假，三周没有上课就是停课"),
        },
        ("s4.prepaid.match-teaching", "s4.prepaid.prevent", "s1.fees.prevent-refund-trouble"),
        "到教学点查看是否照常上课，核对课表和签到，要求机构给出补课安排。",
    ),
    "flows": Part(
        "大额、异常流动",
        {
            "unexplained_count": Share(10, 2, 0, "账上没有的流出", " 笔", "钱从监管账户出去而账上没有这笔，一次就要查"),
            "large_count": Share(3, 5, 0, "大额流动", " 笔", "有账可对的大额划拨多数正常，频繁时值得看"),
            "outflow_percent": Share(2, 300, 150, "流出是以往的", "%", "三十天流出是以往同长时间的一倍半到三倍：在加快往外转"),
        },
        ("s0.prepaid.large-flow-warning", "s0.prepaid.large-flow-procedure", "s4.prepaid.prevent"),
        "向银行查清每笔大额流出的去向和凭证，通报有关部门。",
    ),
    "staff": Part(
        "人员流失",
        {"left_percent": Share(10, 40, 10, "离职占", "%", "三个月走一成是平常的流动，走四成课就开不下去")},
        ("s1.risk.plan-jobs", "s4.problems.run-away"),
        "核对在岗教师和社保、工资，防止欠薪后停课。",
    ),
    "complaints": Part(
        "投诉和消课争议",
        {
            "complaint_count": Share(6, 3, 0, "投诉", " 件", "三个月里有三件投诉，不会是碰巧"),
            "dispute_count": Share(4, 10, 0, "消课异议", " 次", "家长说没上的课机构说上了：争议多，是在抢着把钱划走"),
        },
        ("s1.risk.petitions", "s1.risk.disputes", "s2.supervision.tip-handled"),
        "逐件答复投诉、核定争议；相同的情况并案核查。",
    ),
}  # fmt: skip

#: From which score a level begins, the highest first. Twenty: no single small thing reaches it. Forty: one part at its worst and another
#: one too. Sixty: three parts at once, what institutions that ran away looked like weeks before.
LEVELS: tuple[tuple[int, RiskLevel], ...] = (
    (60, RiskLevel.ALARM),
    (40, RiskLevel.WARNED),
    (20, RiskLevel.WATCHED),
    (0, RiskLevel.CALM),
)


def level_of(score: int) -> RiskLevel:
    """What a score calls for."""
    return next(level for least, level in LEVELS if score >= least)
