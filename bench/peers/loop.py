"""A plain Python loop over the records, one function a kind, as somebody writes it who has no rule engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.law import Figures
from bench.peers.records import Finding

#: What an answer is called; None is not decided.
_VERDICTS = {False: "breach", None: "undetermined"}


def _tell(found: list[Finding], rule: str, record: dict[str, Any], answer: bool | None, *, needs_law: bool = False) -> None:
    """Note an answer that is not yes; without the law of its day a rule that needs no figure is not decided either."""
    if answer is not True:
        found.append((f"bench.{rule}", _VERDICTS[None if needs_law else answer], record["record"]))


def _at_most(value: int | None, limit: int | None) -> bool | None:
    return None if value is None or limit is None else value <= limit


def homework(record: dict[str, Any], law: Figures | None, found: list[Finding]) -> None:
    """The five rules on homework."""
    form, minutes, at_home, no_law = record["form"], record["homework_minutes"], record["done_at"] == "home", law is None
    if at_home and form == "written":
        limit, grade = None, record["grade"]
        if law is not None:
            limit = law.written_lower if grade <= 2 else law.written_upper if grade <= 6 else law.written_junior if grade <= 9 else 600
        _tell(found, "written-minutes", record, _at_most(minutes, limit))
    if at_home and form == "electronic":
        _tell(found, "electronic-minutes", record, _at_most(minutes, law.electronic if law else None))
    marked_by, needs_parent, is_punitive = record["marked_by"], record["needs_parent"], record["is_punitive"]
    _tell(found, "marked-by-parent", record, None if marked_by is None else marked_by != "parent", needs_law=no_law)
    _tell(found, "needs-parent", record, None if needs_parent is None else not needs_parent, needs_law=no_law)
    _tell(found, "punitive", record, None if is_punitive is None else not is_punitive, needs_law=no_law)


def session(record: dict[str, Any], law: Figures | None, found: list[Finding]) -> None:
    """The five rules on training sessions."""
    mode, is_academic = record["mode"], record["category"] == "academic"
    ends_limit = None if law is None or mode is None else law.ends_online if mode == "online" else law.ends_offline
    _tell(found, "ends-at", record, _at_most(record["ends_at"], ends_limit))
    if is_academic and record["grade"] < 10:
        is_free = None if record["day_kind"] is None else record["day_kind"] == "workday" and not record["in_vacation"]
        _tell(found, "days-off", record, is_free, needs_law=law is None)
    if mode != "offline":
        lesson, gap = record["lesson_minutes"], record["gap_minutes"]
        short, rested = _at_most(lesson, law.lesson if law else None), _at_most(law.gap if law else None, gap)
        # Whether the rule applies is not known either where the mode is not.
        _tell(found, "lesson-minutes", record, short if mode or short else None)
        _tell(found, "gap-minutes", record, rested if mode or rested else None)
    if is_academic:
        _tell(found, "age", record, _at_most(law.age if law else None, record["youngest_age"]))


def prepayment(record: dict[str, Any], law: Figures | None, found: list[Finding]) -> None:
    """The three rules on prepayments."""
    first, last, amount, paid_in = record["course_from"], record["course_until"], record["amount_fen"], record["custody_fen"]
    months = None
    if last is not None:
        months = 12 * (last.year - first.year) + last.month - first.month + (last.day >= first.day)
    _tell(found, "months", record, _at_most(months, law.months if law else None))
    match record["supervision_mode"]:
        case "custody":
            in_custody = paid_in is None or _at_most(amount, paid_in)
        case "reserve" | "transfer":
            in_custody = False
        case _:
            in_custody = _at_most(amount, paid_in)
    _tell(found, "custody", record, in_custody, needs_law=law is None)
    _tell(found, "amount", record, _at_most(amount, law.contract_fen if law else None))


Judge = Callable[[dict[str, Any], Figures | None, list[Finding]], None]
JUDGES: dict[str, Judge] = {"homework_item": homework, "training_session": session, "prepayment": prepayment}
