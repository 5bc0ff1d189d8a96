"""The parts of a score, from an institution's numbers: nothing is asked of the database here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qingdan.escrow.risk.weights import PARTS
from qingdan.escrow.wording import yuan

_CERTAIN = 100


@dataclass
class Numbers:
    """What is known of an institution at the end of a day. Sums in fen, times in days."""

    #: Paid for lessons not given, and refunds that have gone through and not arrived.
    held_fen: int = 0
    returning_fen: int = 0
    #: What should lie at the bank and what is missing there: custody by the book of the statement's day, reserves by their floor.
    due_fen: int = 0
    short_fen: int = 0
    #: How long the bank has said nothing; None where there is nothing to say.
    silent_days: int = 0
    #: What nothing stands behind.
    uncovered_fen: int = 0
    has_agreement: bool = True
    open_refunds: int = 0
    open_refund_fen: int = 0
    overdue_count: int = 0
    overdue_days: int = 0
    #: Lessons of paid contracts that should have been given by their calendar, and those that were.
    due_lessons: int = 0
    taught_lessons: int = 0
    behind_lessons: int = 0
    idle_days: int = 0
    large_count: int = 0
    large_fen: int = 0
    unexplained_count: int = 0
    outflow_fen: int = 0
    #: What went out in as many days before, on average.
    usual_outflow_fen: int = 0
    staff_count: int = 0
    left_count: int = 0
    complaint_count: int = 0
    dispute_count: int = 0

    @property
    def owed_fen(self) -> int:
        """What families would be owed if the doors closed now."""
        return self.held_fen + self.returning_fen

    def sizes(self, kind: str) -> dict[str, int]:
        """The numbers of a part by the names of its shares."""
        ratios = {
            "short_percent": _percent_up(self.short_fen, self.due_fen) if self.has_agreement or not self.owed_fen else _CERTAIN,
            "open_percent": _percent(self.open_refund_fen, self.owed_fen),
            "behind_percent": _percent(self.behind_lessons, self.due_lessons),
            "outflow_percent": _percent(self.outflow_fen, self.usual_outflow_fen),
            "left_percent": _percent(self.left_count, self.staff_count + self.left_count),
        }
        return {name: ratios[name] if name in ratios else getattr(self, name) for name in PARTS[kind].shares}


def _percent(part: int, whole: int) -> int:
    return 100 * part // whole if whole > 0 else 0


def _percent_up(part: int, whole: int) -> int:
    """Rounded up: a fen that is missing is missing."""
    return -(-100 * part // whole) if whole > 0 else (_CERTAIN if part > 0 else 0)


def parts_of(numbers: Numbers) -> list[dict[str, Any]]:
    """``[{kind, label, points, points_most, text, numbers}]``, the heaviest first; the points sum to the score."""
    found = []
    for kind, part in PARTS.items():
        sizes = numbers.sizes(kind)
        points = sum(share.of(sizes[name]) for name, share in part.shares.items())
        told = {name: {"value": sizes[name], "points": share.of(sizes[name]), "most": share.points} for name, share in part.shares.items()}
        found.append(
            {
                "kind": kind,
                "label": part.label,
                "points": points,
                "points_most": part.points_most,
                "text": _TEXTS[kind](numbers),
                "numbers": told,
            }
        )
    return sorted(found, key=lambda each: (-each["points"], -each["points_most"]))


def _custody(n: Numbers) -> str:
    if not n.has_agreement:
        return f"没有监管协议，{yuan(n.owed_fen)} 预收费没有监管" if n.owed_fen else "没有监管协议，也没有未消课的预收费"
    if n.silent_days > 3:
        return f"银行 {n.silent_days} 天没有对账单；最近一次差 {yuan(n.short_fen)}（应有 {yuan(n.due_fen)}）"
    if n.short_fen:
        return f"银行余额比应有的 {yuan(n.due_fen)} 少 {yuan(n.short_fen)}（{_percent_up(n.short_fen, n.due_fen)}%）"
    return f"银行余额不少于应有的 {yuan(n.due_fen)}"


def _refunds(n: Numbers) -> str:
    if not n.open_refunds:
        return "没有办理中的退费"
    text = f"办理中 {n.open_refunds} 件 {yuan(n.open_refund_fen)}，占预收费 {_percent(n.open_refund_fen, n.owed_fen)}%"
    return f"{text}；逾期 {n.overdue_count} 件，最久 {n.overdue_days} 天" if n.overdue_count else f"{text}；没有逾期"


def _lessons(n: Numbers) -> str:
    if not n.due_lessons:
        return "还没有到应上课的日子"
    percent = _percent(n.behind_lessons, n.due_lessons)
    text = f"按合同时间应上 {n.due_lessons} 课时，已上 {n.taught_lessons}，落后 {n.behind_lessons}（{percent}%）"
    return f"{text}；{n.idle_days} 天没有上课" if n.idle_days > 1 else text


def _flows(n: Numbers) -> str:
    text = f"30 天内大额 {n.large_count} 笔 {yuan(n.large_fen)}" if n.large_count else "30 天内没有大额流动"
    if n.unexplained_count:
        text += f"，账上没有的流出 {n.unexplained_count} 笔"
    return f"{text}；流出是以往的 {_percent(n.outflow_fen, n.usual_outflow_fen)}%" if n.usual_outflow_fen else text


def _staff(n: Numbers) -> str:
    return f"90 天内离职 {n.left_count} 人，现有 {n.staff_count} 人" if n.left_count else f"90 天内没有人离职，现有 {n.staff_count} 人"


def _complaints(n: Numbers) -> str:
    return f"90 天内投诉 {n.complaint_count} 件，未了的消课异议 {n.dispute_count} 次"


_TEXTS = {"custody": _custody, "refunds": _refunds, "lessons": _lessons, "flows": _flows, "staff": _staff, "complaints": _complaints}
