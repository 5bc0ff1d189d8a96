"""Lessons: the institution records who was there, the family says yes or no, and what is agreed is released.

Every act locks the contract, so that no two of them count the same lesson, and posts in the same transaction in which the lesson
changes its state: either both are there or neither is.
"""

from __future__ import annotations

import datetime
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.escrow import books
from qingdan.escrow.actions.ending import clerks_of, end_if_nothing_is_left, lock, lock_all
from qingdan.escrow.deadlines import silence_until
from qingdan.escrow.enums import ContractState, LessonState
from qingdan.escrow.models import Contract, Lesson
from qingdan.escrow.models.lessons import LessonQuerySet
from qingdan.escrow.standing import standing_of, standings
from qingdan.escrow.wording import clock_text, day_text
from qingdan.ledger.refusals import Refused
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)
#: Contracts in one transaction of the nightly release: families who answer meanwhile wait for one portion at most.
_AT_ONCE = 200


@dataclass(frozen=True)
class Taught:
    """One session as it was taught; clocks are minutes after midnight."""

    course_number: int
    on_date: datetime.date
    starts_at: int
    ends_at: int
    #: None for one that stands in no timetable.
    session_number: int | None = None

    @property
    def minutes(self) -> int:
        """How long it lasted."""
        return self.ends_at - self.starts_at


@dataclass(frozen=True)
class Recorded:
    """What became of a roll."""

    new: tuple[Lesson, ...]
    #: Contracts for which this session had been recorded before.
    known_count: int


def record(contracts: Iterable[Contract], *, taught: Taught, lessons: int, by: User) -> Recorded:
    """Record who was there: all of them or none. The same roll again adds nobody twice.

    Raises ValidationError for a day that has not come, for more lessons than the time holds, and for a contract that is over or has
    not enough lessons left; those who are absent are not charged.
    """
    numbers = [each.pk for each in contracts]
    if not numbers:
        raise ValidationError("还没有勾选到课的学员：有人到课请勾选，没有人到课不用登记")
    if taught.on_date > today():
        raise ValidationError(f"{day_text(taught.on_date)}还没有到，上完课再登记")
    if not 0 <= taught.starts_at < taught.ends_at <= 24 * 60:
        raise ValidationError("下课时间要晚于上课时间")
    with transaction.atomic(), in_words(Lesson):
        found = lock_all(numbers)
        at = {"on_date": taught.on_date, "starts_at": taught.starts_at}
        known = set(Lesson.objects.filter(contract__in=found, **at).exclude(state=LessonState.VOID).values_list("contract", flat=True))
        fresh = [each for each in found if each.pk not in known]
        _refuse_roll(fresh, taught, lessons)
        until = silence_until(found[0].institution.layer_code, today())
        rows = [
            Lesson(
                contract=each, lessons=lessons, recorded_by=by, silent_until=until, session_number=taught.session_number, **at,
            )
            for each in fresh
        ]  # fmt: skip
        new = Lesson.objects.bulk_create(rows)
        _tell_families(fresh, taught, lessons)
    log.info(
        "escrow.lessons.recorded by=%s course=%s on=%s new=%s known=%s", by.pk, taught.course_number, taught.on_date, len(new), len(known)
    )
    return Recorded(tuple(new), len(known))


def _refuse_roll(contracts: list[Contract], taught: Taught, lessons: int) -> None:
    """Raise ValidationError with all that stands against charging these contracts."""
    problems = []
    standing, meanwhile = standings(contracts), _at_the_same_time(contracts, taught, lessons)
    for each in contracts:
        most = taught.minutes // each.lesson_minutes
        if each.state != ContractState.ACTIVE or each.course_number != taught.course_number:
            problems.append(f"{each.learner_name}的合同不在履行中，不能消课；请刷新名单")
        elif each.signed_on is not None and taught.on_date < each.signed_on:
            problems.append(f"{each.learner_name}的合同 {day_text(each.signed_on)}才签订，不能登记以前的课")
        elif not 1 <= lessons <= most:
            problems.append(f"这次课 {taught.minutes} 分钟，每课时 {each.lesson_minutes} 分钟，最多登记 {most} 课时")
        elif each.pk in meanwhile:
            problems.append(
                f"{each.learner_name}{day_text(taught.on_date)} {clock_text(meanwhile[each.pk])} 已登记别的课，时间重叠；请核对"
            )
        elif standing[each.pk].free < lessons:
            problems.append(_too_few(each.learner_name, standing[each.pk].free, standing[each.pk].asked))
    if problems:
        raise ValidationError(list(dict.fromkeys(problems)))


def _at_the_same_time(contracts: list[Contract], taught: Taught, lessons: int) -> dict[int, int]:
    """Contract -> when another lesson of it begins that cannot be over before this one, or begins before this one can be over."""
    found: dict[int, int] = {}
    minutes = {each.pk: each.lesson_minutes for each in contracts}
    others = Lesson.objects.filter(contract__in=contracts, on_date=taught.on_date).exclude(state=LessonState.VOID)
    for other in others:
        length = minutes[other.contract_id]
        if taught.starts_at < other.starts_at + other.lessons * length and other.starts_at < taught.starts_at + lessons * length:
            found[other.contract_id] = other.starts_at
    return found


def _too_few(name: str, free: int, asked: int) -> str:
    said = f"{name}可消的课时只剩 {free} 课时"
    return f"{said}（另有 {asked} 课时正在申请退费），请先办完退费" if asked else f"{said}，请去掉勾选，续费后再登记"


def _tell_families(contracts: list[Contract], taught: Taught, lessons: int) -> None:
    if contracts:
        Notice.objects.send(
            [each.guardian for each in contracts],
            occasion=f"escrow-lesson:{taught.course_number}:{taught.on_date}:{taught.starts_at}",
            text=f"{contracts[0].course_name} {day_text(taught.on_date)} {clock_text(taught.starts_at)}：机构登记 {lessons} 课时，请您确认",
            url=reverse("escrow:lessons_waiting"),
        )


def release(lesson: Lesson, *, state: LessonState, by: User | None) -> None:
    """Let a lesson count as given. The contract is locked already, and the lesson was read under that lock.

    Raises ledger.refusals.Overdrawn when more would go over than is held.
    """
    contract = lesson.contract
    fen = standing_of(contract).release_fen(lesson.lessons)
    lesson.posting = books.post_release(lesson, fen=fen, effective_on=today(), by=by)
    lesson.state = state
    lesson.save()
    end_if_nothing_is_left(contract, state=ContractState.COMPLETED, on=today())


def confirm(lessons: Iterable[Lesson], *, by: User) -> int:
    """The family says that these were given; how many are new is returned. One contract after the other is locked and committed.

    Those that have been answered already are left as they are, so that a second tap does nothing. Raises ledger.refusals.Overdrawn.
    """
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for each in lessons:
        numbers[each.contract_id].append(each.pk)
    count = 0
    for contract_id in sorted(numbers):
        with transaction.atomic():
            contract = lock(contract_id)
            for lesson in _in_order(contract, numbers[contract_id]).waiting():
                lesson.contract, lesson.answered_by, lesson.answered_at = contract, by, timezone.now()
                release(lesson, state=LessonState.CONFIRMED, by=by)
                count += 1
    log.info("escrow.lessons.confirmed by=%s count=%s", by.pk, count)
    return count


def _in_order(contract: Contract, numbers: Iterable[int]) -> LessonQuerySet:
    return contract.attendances.filter(pk__in=list(numbers)).order_by("on_date", "starts_at", "pk")


@transaction.atomic
def dispute(lesson: Lesson, *, by: User, reason: str) -> Lesson:
    """The family says that a lesson was not given so; it is not released until that is settled."""
    lesson = _locked(lesson, LessonState.RECORDED)
    if not reason.strip():
        raise ValidationError("请写一句哪里不对，例如“那天请假没去”，机构和主管部门才能核实")
    lesson.state, lesson.objection = LessonState.DISPUTED, reason.strip()[:300]
    lesson.answered_by, lesson.answered_at = by, timezone.now()
    lesson.save()
    _tell_institution(lesson, "disputed", f"家长对{_said(lesson)}有异议，请说明情况或撤销登记")
    log.info("escrow.lesson.disputed by=%s lesson=%s", by.pk, lesson.pk)
    return lesson


@transaction.atomic
def reply(lesson: Lesson, *, by: User, text: str) -> Lesson:
    """What the institution says to an objection; family and bureau read it."""
    lesson = _locked(lesson, LessonState.DISPUTED)
    if not text.strip():
        raise ValidationError("请写明情况，例如签到记录、任课教师的说明")
    lesson.reply = text.strip()[:300]
    lesson.save(update_fields=["reply"])
    _tell_family(lesson, "replied", f"机构对{_said(lesson)}的异议作了说明，请看一看")
    log.info("escrow.lesson.replied by=%s lesson=%s", by.pk, lesson.pk)
    return lesson


@transaction.atomic
def strike(lesson: Lesson, *, by: User) -> Lesson:
    """The institution takes back what it recorded by mistake, while the family has not said yes: the lesson does not count."""
    lesson = _locked(lesson, LessonState.RECORDED, LessonState.DISPUTED)
    lesson.state, lesson.reply = LessonState.VOID, lesson.reply or "机构撤销登记"
    lesson.save(update_fields=["state", "reply"])
    _tell_family(lesson, "struck", f"机构撤销了{_said(lesson)}的登记，不扣课时")
    log.info("escrow.lesson.struck by=%s lesson=%s", by.pk, lesson.pk)
    return lesson


@transaction.atomic
def retract(lesson: Lesson, *, by: User) -> Lesson:
    """The family withdraws its objection: the lesson was given. Raises ledger.refusals.Overdrawn."""
    lesson = _locked(lesson, LessonState.DISPUTED)
    lesson.answered_by, lesson.answered_at = by, timezone.now()
    release(lesson, state=LessonState.CONFIRMED, by=by)
    log.info("escrow.lesson.retracted by=%s lesson=%s", by.pk, lesson.pk)
    return lesson


@transaction.atomic
def settle(lesson: Lesson, *, by: User, is_upheld: bool, reason: str) -> Lesson:
    """The bureau decides a dispute: upheld, and released; or it does not count. Raises ledger.refusals.Overdrawn."""
    lesson = _locked(lesson, LessonState.DISPUTED)
    if not reason.strip():
        raise ValidationError("请写明核定理由，双方都会看到")
    lesson.settled_by, lesson.settled_at, lesson.settlement = by, timezone.now(), reason.strip()[:300]
    if is_upheld:
        release(lesson, state=LessonState.UPHELD, by=by)
    else:
        lesson.state = LessonState.VOID
        lesson.save()
    said = f"主管部门已核定{_said(lesson)}：{'按已上计' if is_upheld else '不计课时'}"
    _tell_family(lesson, "settled", said)
    _tell_institution(lesson, "settled", said)
    log.info("escrow.lesson.settled by=%s lesson=%s upheld=%s", by.pk, lesson.pk, is_upheld)
    return lesson


def presume_silent(day: datetime.date) -> int:
    """Release what no family has objected to in time; how many is returned. Institution by institution, in portions committed at once.

    A contract whose money does not suffice is left for people to look at, and logged; it does not stop the others.
    """
    count = 0
    silent = Lesson.objects.presumed_by(day).order_by("contract__institution", "contract").distinct()
    of_institution: defaultdict[int, list[int]] = defaultdict(list)
    for institution_id, contract_id in silent.values_list("contract__institution", "contract"):
        of_institution[institution_id].append(contract_id)
    for numbers in of_institution.values():
        for start in range(0, len(numbers), _AT_ONCE):
            count += _presume_or_leave(numbers[start : start + _AT_ONCE], day)
    log.info("escrow.lessons.presumed day=%s count=%s", day, count)
    return count


def _presume_or_leave(numbers: Sequence[int], day: datetime.date) -> int:
    """All of these contracts together; where the ledger refuses one, each by itself."""
    try:
        return _presume(numbers, day)
    except Refused as refused:
        if len(numbers) > 1:
            return sum(_presume_or_leave([each], day) for each in numbers)
        log.error("escrow.lesson.not_presumed contract=%s reason=%s", numbers[0], refused)
        return 0


@transaction.atomic
def _presume(numbers: Sequence[int], day: datetime.date) -> int:
    """Contracts of one institution."""
    contracts = {each.pk: each for each in lock_all(numbers)}
    silent = list(Lesson.objects.filter(contract__in=contracts).presumed_by(day).order_by("on_date", "starts_at", "pk"))
    if not silent:
        return 0
    given = {number: standing.given for number, standing in standings(contracts.values()).items()}
    releases = []
    for lesson in silent:
        lesson.contract = contracts[lesson.contract_id]
        first = given[lesson.contract_id] + 1
        given[lesson.contract_id] += lesson.lessons
        releases.append((lesson, lesson.contract.fen_of_lessons(first, given[lesson.contract_id])))
    for lesson, posting in zip(silent, books.post_releases(releases, effective_on=today()), strict=True):
        lesson.posting, lesson.state = posting, LessonState.PRESUMED
    Lesson.objects.bulk_update(silent, ["posting", "state"])
    counts = Counter(lesson.contract_id for lesson in silent)
    left = {number: standing.left for number, standing in standings(contracts.values()).items()}
    for number, contract in contracts.items():
        if counts[number]:
            _tell_presumed(contract, counts[number], day)
            if not left[number]:
                end_if_nothing_is_left(contract, state=ContractState.COMPLETED, on=today())
    return len(silent)


def _tell_presumed(contract: Contract, count: int, day: datetime.date) -> None:
    text = f"{contract.course_name}有 {count} 次课到期没有异议，已按约定视为确认；有疑问请联系机构或主管部门"
    url = reverse("escrow:lessons_of", args=[contract.pk])
    Notice.objects.send([contract.guardian], occasion=f"escrow-presumed:{contract.pk}:{day}", text=text, url=url)


def _locked(lesson: Lesson, *states: LessonState) -> Lesson:
    """The lesson as it is now, under the contract's lock; ValidationError when it is past what is asked."""
    contract = lock(lesson.contract_id)
    found = contract.attendances.get(pk=lesson.pk)
    found.contract = contract
    if found.state not in states:
        raise ValidationError(f"这次课现在是“{found.get_state_display()}”，不能再这样办；请刷新页面")
    return found


def _said(lesson: Lesson) -> str:
    return f"{lesson.contract.course_name} {day_text(lesson.on_date)} {clock_text(lesson.starts_at)}这次课"


def _tell_institution(lesson: Lesson, what: str, text: str) -> None:
    url = reverse("escrow:lessons_disputed")
    Notice.objects.send(clerks_of(lesson.contract.institution), occasion=f"escrow-lesson-{what}:{lesson.pk}", text=text, url=url)


def _tell_family(lesson: Lesson, what: str, text: str) -> None:
    url = reverse("escrow:lessons_of", args=[lesson.contract_id])
    Notice.objects.send([lesson.contract.guardian], occasion=f"escrow-lesson-{what}:{lesson.pk}", text=text, url=url)
