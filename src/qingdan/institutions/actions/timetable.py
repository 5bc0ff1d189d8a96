"""Sessions go into the timetable only when each of them may take place.

Every way in (plan, one session, another month, workbook) comes through :func:`look_at`: it says of each session why it cannot be – what
the house knows (premises closed, course not filed, room taken …) and what the law says, judged in PostgreSQL on the written rows, which
are then taken back. :func:`enter` saves all of them or none.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from qingdan.accounts.models import User
from qingdan.institutions.enums import CourseState, InstitutionState, SessionState, StaffRole, TrainingMode
from qingdan.institutions.models import Institution, Room, Session, WeeklyPlan
from qingdan.institutions.models.timetable import DAY_MINUTES
from qingdan.judging.law import Law, current_law
from qingdan.places.calendar import today
from qingdan.policy.findings import Finding
from qingdan.storage.refusals import constraint_of, in_words, message_of

log = logging.getLogger(__name__)

#: How many sessions may be entered at once.
SESSIONS_MAX = 1000


@dataclass(frozen=True)
class Reason:
    """Why a session cannot be; by the law when it cites a clause."""

    sentence: str
    remedy: str = ""
    cites: tuple[tuple[str, str], ...] = ()
    rule: str = ""
    title: str = ""

    @classmethod
    def of(cls, finding: Finding, law: Law) -> Reason:
        """A finding in the words of the law of that day and place."""
        ids = dict.fromkeys(
            [
                *(cite for limit in finding.limits for cite in limit.statement.cites),
                *law.pack.cites_at(finding.rule, at=finding.place, on=finding.date),
            ]
        )
        cites = tuple((clause, law.pack.cite(clause)) for clause in ids)
        return cls(finding.sentence, finding.rule.remedy, cites, finding.rule.id, finding.rule.title)


@dataclass
class Outlook:
    """A session that is to be, with all that stands against it, and what the law cannot tell yet."""

    session: Session
    reasons: list[Reason] = field(default_factory=list)
    doubts: list[Reason] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether it cannot be saved."""
        return bool(self.reasons)

    @property
    def key(self) -> str:
        """What a clerk leaves out, if need be."""
        return key_of(self.session)


class Refused(Exception):
    """At least one session cannot be. Nothing has been saved."""

    def __init__(self, outlooks: Sequence[Outlook]) -> None:
        self.outlooks = list(outlooks)
        super().__init__("；".join(reason.sentence for each in outlooks for reason in each.reasons))


class _TakeBack(Exception):
    """Ends a trial."""


def key_of(session: Session) -> str:
    """One session of a batch, the same when the page is sent again."""
    when = f"{session.on_date:%Y%m%d}-{session.starts_at}-{session.ends_at}"
    return f"{session.course_id}-{when}-{session.room_id or 0}-{session.teacher_id}"


@contextmanager
def _alone(sessions: Sequence[Session]) -> Iterator[None]:
    """Rooms and teachers belong to one institution: whoever writes its timetable waits for the other, and sees what he wrote."""
    with transaction.atomic():
        list(Institution.objects.select_for_update(of=("self",)).filter(pk__in={each.institution_id for each in sessions}).order_by("pk"))
        yield


def obstacles(session: Session) -> list[str]:
    """What stands against a session apart from the law and other sessions, each in one sentence that says what to do."""
    day, course, room, teacher = session.on_date, session.course, session.room, session.teacher
    found = []
    if not 0 <= session.starts_at < session.ends_at <= DAY_MINUTES:
        found.append("结束时间要晚于开始时间，都在同一天；请改时间")
    if session._state.adding and day < today():
        found.append(f"{day:%Y-%m-%d} 已经过去，不能再排课；请选今天或以后的日期")
    if course.institution.state != InstitutionState.ACTIVE:
        found.append(f"机构现在是“{course.institution.get_state_display()}”，不能排课")
    if course.state != CourseState.FILED:
        found.append(f"课程“{course.name}”是“{course.get_state_display()}”，备案通过后才能排课")
    elif not course.starts_on <= day <= course.ends_on:
        found.append(f"课程“{course.name}”的开课期是 {course.starts_on} 至 {course.ends_on}，{day} 不在其中")
    if course.permit is None:
        found.append(f"课程“{course.name}”没有所依的办学许可；请先取得许可并写进课程备案")
    elif not course.permit.is_in_force(day):
        found.append(f"{day} 不在许可 {course.permit.number} 的有效期内（{course.permit.starts_on} 至 {_end_of_permit(session)}）")
    if room is None:
        if course.mode == TrainingMode.OFFLINE:
            found.append("线下课要选教室")
    elif not room.premises.is_open(day):
        found.append(f"教学点“{room.premises.name}”在 {day} 没有启用或已停用；请换教室")
    if teacher.role != StaffRole.TEACHING:
        found.append(f"{teacher.name}登记的岗位是“{teacher.get_role_display()}”，不是教学人员")
    if teacher.employed_from > day or (teacher.employed_until is not None and teacher.employed_until < day):
        found.append(f"{teacher.name}在 {day} 不在职；请换教师")
    owners = {course.institution_id, teacher.institution_id, *([room.premises.institution_id] if room else [])}
    if owners != {session.institution_id}:
        found.append("课程、教室和教师要属于本机构")
    return found


def _end_of_permit(session: Session) -> str:
    permit = session.course.permit
    assert permit is not None
    return f"{permit.revoked_on} 吊销或注销" if permit.revoked_on else f"{permit.ends_on}"


def clash_sentence(session: Session, other: Session) -> str:
    """Which other session has the room or the teacher: ``教室 101 在 11月24日 18:30–20:00 已有“数学”``."""
    when = f"{other.on_date.month}月{other.on_date.day}日 {other.times}"
    what = []
    if session.room_id is not None and session.room_id == other.room_id:
        what.append(f"教室{other.room}")
    if session.teacher_id == other.teacher_id:
        what.append(f"教师{other.teacher}")
    return f"{'、'.join(what)}在 {when} 已有“{other.course.name}”；请换时间、教室或教师"


def _clash(session: Session, others: Iterable[Session]) -> Session | None:
    for other in others:
        shares = session.teacher_id == other.teacher_id or (session.room_id is not None and session.room_id == other.room_id)
        if other is not session and other.pk != (session.pk or 0) and shares and session.overlaps(other):
            return other
    return None


def _planned_beside(sessions: Sequence[Session]) -> dict[Any, list[Session]]:
    """What stands in the timetable on the days of these, day by day, in one query."""
    beside: dict[Any, list[Session]] = defaultdict(list)
    found = Session.objects.planned().filter(institution_id=sessions[0].institution_id, on_date__in={each.on_date for each in sessions})
    for each in found.with_names():
        beside[each.on_date].append(each)
    return beside


def _write(outlooks: Sequence[Outlook]) -> None:
    """Write those that nothing stands against so far, and note what the law says of them."""
    law = current_law()
    new = [each.session for each in outlooks if not each.is_refused and each.session._state.adding]
    for session in new:
        session.plan_id = session.plan.pk if session.plan is not None else None
    written = {id(each) for each in new}
    Session.objects.bulk_create(new)
    for each in outlooks:
        if not each.is_refused and id(each.session) not in written:
            each.session.save()
    by_row = {each.session.pk: each for each in outlooks if not each.is_refused}
    for course_id in {each.session.course_id for each in outlooks if not each.is_refused}:
        for judged in law.judge_touched("training_session", course_id=course_id):
            if outlook := by_row.get(judged.row_id):
                for finding in judged.findings:
                    (outlook.reasons if finding.verdict == "breach" else outlook.doubts).append(Reason.of(finding, law))


def _judge(sessions: Sequence[Session]) -> list[Outlook]:
    """Write and judge, inside a transaction that the caller may take back."""
    if not sessions:
        raise ValidationError("没有可排的日期；请检查起止日期和星期")
    if len(sessions) > SESSIONS_MAX:
        raise ValidationError(f"一次最多排 {SESSIONS_MAX} 次课，这里有 {len(sessions)} 次；请缩短起止日期，分几次排")
    outlooks = [Outlook(each, [Reason(text) for text in obstacles(each)]) for each in sessions]
    beside = _planned_beside(sessions)
    moved = {each.pk for each in sessions if each.pk}
    for outlook in outlooks:
        standing = [each for each in beside[outlook.session.on_date] if each.pk not in moved]
        if other := _clash(outlook.session, standing):
            outlook.reasons.append(Reason(clash_sentence(outlook.session, other)))
        elif not outlook.is_refused:
            beside[outlook.session.on_date].append(outlook.session)
    _write(outlooks)
    return outlooks


def _forget(sessions: Iterable[Session], new: set[int]) -> None:
    """What was written has been taken back: these are new again."""
    for each in sessions:
        if id(each) in new:
            each.pk, each._state.adding = None, True


@contextmanager
def _in_words(sessions: Sequence[Session]) -> Iterator[None]:
    """Say a refusal by the database in the words of its constraint."""
    # The law comes into the database before anything that may be taken back.
    current_law()
    try:
        yield
    except IntegrityError as error:
        message = message_of(constraint_of(error), Session, WeeklyPlan)
        if not message:
            raise
        beside = _planned_beside(sessions)
        for session in sessions:
            if other := _clash(session, beside[session.on_date]):
                message = clash_sentence(session, other)
                break
        raise ValidationError(message) from error


def look_at(sessions: Sequence[Session], plan: WeeklyPlan | None = None) -> list[Outlook]:
    """What would stand against each of these sessions if they were saved now; nothing stays written."""
    new = {id(each) for each in sessions if each._state.adding}
    outlooks: list[Outlook] = []
    try:
        with _in_words(sessions), transaction.atomic():
            if plan is not None:
                plan.save()
            outlooks = _judge(sessions)
            raise _TakeBack
    except _TakeBack:
        return outlooks
    finally:
        _forget(sessions, new)
        if plan is not None:
            plan.pk, plan._state.adding = None, True


def enter(*, sessions: Sequence[Session], by: User, plan: WeeklyPlan | None = None, left_out: Iterable[str] = ()) -> list[Session]:
    """Save all sessions but those left out, with their plan; raise Refused with everything that stands against any, nothing saved."""
    without = set(left_out)
    wanted = [each for each in sessions if key_of(each) not in without]
    if sessions and not wanted:
        raise ValidationError("剩下的日期一个也没有，没有保存；请换一个星期、时间或起止日期")
    new = {id(each) for each in wanted if each._state.adding}
    try:
        with _in_words(wanted), _alone(wanted):
            if plan is not None:
                plan.full_clean(exclude=["course", "room", "teacher"])
                plan.save()
            outlooks = _judge(wanted)
            if any(each.is_refused for each in outlooks):
                raise Refused(outlooks)
    except (Refused, ValidationError):
        _forget(wanted, new)
        if plan is not None:
            plan.pk, plan._state.adding = None, True
        raise
    log.info("timetable.entered by=%s institution=%s sessions=%s left_out=%s", by.pk, wanted[0].institution_id, len(wanted), len(without))
    return wanted


def change(*, session: Session, by: User, **changes: Any) -> Session:
    """Move one session (``on_date``, ``starts_at``, ``ends_at``, ``room``, ``teacher``, ``state``); raises as :func:`enter` does."""
    if "on_date" in changes and changes["on_date"] != session.on_date and changes["on_date"] < today():
        raise ValidationError(f"{changes['on_date']:%Y-%m-%d} 已经过去，不能把课挪到那天；请选今天或以后的日期")
    for name, value in changes.items():
        setattr(session, name, value)
    with _in_words([session]), _alone([session]):
        outlooks = _judge([session])
        if outlooks[0].is_refused:
            raise Refused(outlooks)
    log.info("timetable.changed by=%s session=%s fields=%s", by.pk, session.pk, ",".join(sorted(changes)))
    return session


def cancel(*, session: Session, by: User) -> None:
    """It does not take place; the law has nothing to say of it any more."""
    session.state = SessionState.CANCELLED
    session.save(update_fields=["state"])
    log.info("timetable.cancelled by=%s session=%s", by.pk, session.pk)


def restore(*, session: Session, by: User) -> Session:
    """A cancelled session takes place after all, if nothing stands against it now."""
    return change(session=session, by=by, state=SessionState.PLANNED)


def cancel_rest(*, plan: WeeklyPlan, by: User) -> int:
    """Cancel what is still to come of a plan; how many sessions that were."""
    count = plan.sessions.planned().filter(on_date__gte=today()).update(state=SessionState.CANCELLED)
    log.info("timetable.plan_ended by=%s plan=%s sessions=%s", by.pk, plan.pk, count)
    return int(count)


def save_room(*, room: Room, by: User) -> Room:
    """Keep a room; raise ValidationError when somebody has just given another one its name."""
    room.premises.institution.refuse_when_closed()
    if not room.premises.is_open(today()):
        raise ValidationError(f"教学点“{room.premises.name}”没有启用或已停用，不能添加或修改教室；请选别的教学点")
    with in_words(Room):
        room.save()
    log.info("timetable.room_saved by=%s room=%s", by.pk, room.pk)
    return room


def remove_room(*, room: Room, by: User) -> None:
    """Remove a room in which nothing was ever taught."""
    if Session.objects.filter(room=room).exists() or WeeklyPlan.objects.filter(room=room).exists():
        raise ValidationError(f"教室“{room.name}”排过课，要留作记录，不能删除；不再使用的可以改名")
    log.info("timetable.room_removed by=%s room=%s", by.pk, room.pk)
    room.delete()
