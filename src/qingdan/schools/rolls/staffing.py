"""A roll of staff against the school: accounts, what each teaches, and duties.

For a teacher whose classes the roll states it is complete: what it does not state is not taught any longer. Duties are only given;
to take one away there is the school's page.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.places.journal import Journal
from qingdan.places.models import SchoolYear
from qingdan.policy.units import grade_name
from qingdan.schools.actions.classes import is_in_force, stop_teaching
from qingdan.schools.enums import RollAct
from qingdan.schools.models import GradeLead, School, SchoolClass, StaffIdentity, Subject, SubjectLead, TeachingAssignment
from qingdan.schools.models.places import class_name
from qingdan.schools.rolls.comparing import ClassKey, Comparison, Outcome, classes_of, repeated
from qingdan.schools.rolls.reading import Line, person_name

Effect = Callable[[Journal, dict[ClassKey, SchoolClass]], None]


def username_of(school: School, values: dict[str, Any]) -> str:
    """The user name a line stands for: its own, or one made of the staff number, which only the school knows."""
    return str(values["username"]) or f"{school.pk}-{values['staff_number']}"


@dataclass
class _Staff:
    """The school's people and duties, looked up once for all lines."""

    school: School
    year: SchoolYear
    effective_on: datetime.date
    users: dict[str, User] = field(default_factory=dict)
    assignments: dict[int, list[TeachingAssignment]] = field(default_factory=lambda: defaultdict(list))
    subjects: dict[str, Subject] = field(default_factory=dict)
    grade_leads: set[tuple[int, int]] = field(default_factory=set)
    subject_leads: set[tuple[int, int]] = field(default_factory=set)
    #: Identity digest -> whose it is, in whatever school; a school's own people without one stand nowhere here.
    owners: dict[str, StaffIdentity] = field(default_factory=dict)
    #: Digest -> the user name that a line has given it to.
    identified: dict[str, str] = field(default_factory=dict)
    #: Class -> who the roll says is class teacher: the first line wins, a second is refused.
    class_teachers: dict[ClassKey, str] = field(default_factory=dict)
    #: User name with the class, grade or subject of a duty that a line has given already.
    given: set[tuple[str, object]] = field(default_factory=set)
    #: Teacher, class, subject that a line has stated already.
    stated: set[tuple[str, ClassKey, str]] = field(default_factory=set)

    @classmethod
    def of(cls, school: School, year: SchoolYear, effective_on: datetime.date, usernames: set[str], digests: set[str]) -> _Staff:
        staff = cls(school, year, effective_on)
        known = StaffIdentity.objects.filter(Q(identity_digest__in=digests) | Q(user__username__in=usernames)).select_related("user")
        staff.owners = {each.identity_digest: each for each in known}
        staff.users = {each.username: each for each in User.objects.filter(username__in=usernames).select_related("organisation")}
        found = TeachingAssignment.objects.filter(teacher__in=staff.users.values(), school_class__school_year=year)
        for each in found.select_related("school_class", "subject"):
            if is_in_force(each, effective_on) or each.starts_on > effective_on:
                staff.assignments[each.teacher_id].append(each)
        staff.subjects = {each.name: each for each in Subject.objects.all()}
        staff.grade_leads = set(GradeLead.objects.filter(school=school, school_year=year).values_list("grade", "user_id"))
        staff.subject_leads = set(SubjectLead.objects.filter(school=school).values_list("subject_id", "user_id"))
        return staff


def compare_staff(
    school: School, lines: Sequence[Line], *, year: SchoolYear, effective_on: datetime.date, creates_classes: bool
) -> Comparison:
    """The lines of a roll of staff against the school."""
    result = Comparison(classes=classes_of(school, year))
    usernames = [username_of(school, line.values) for line in lines]
    digests = {line.values["identity_digest"] for line in lines if "identity_digest" in line.values}
    staff = _Staff.of(school, year, effective_on, set(usernames), digests)
    quarrelling = {name: same for name, same in repeated(lines, usernames).items() if len({each.values["name"] for each in same}) > 1}
    accounts: dict[str, User] = {}
    for line, username in zip(lines, usernames, strict=True):
        if reason := _refusal(result, staff, line, username, quarrelling, creates_classes=creates_classes):
            result.outcomes.append(Outcome(RollAct.REFUSE, reason))
        else:
            result.outcomes.append(_line(result, staff, line, username, accounts))
    _end_unstated(result, staff, lines, usernames)
    return result


def _refusal(
    result: Comparison, staff: _Staff, line: Line, username: str, quarrelling: dict[str, list[Line]], *, creates_classes: bool
) -> str:
    values = line.values
    if line.fault:
        return line.fault
    if username in quarrelling:
        where = "、".join(each.where for each in quarrelling[username])
        return f"同一用户名（或工号）写了不同的姓名（{where}）；请核对"
    user = staff.users.get(username)
    if user is not None and user.organisation_id != staff.school.pk:
        return f"用户名“{username}”已被别的单位使用；请换一个"
    if user is not None and not user.is_active:
        return f"{user}的账户已停用；请先联系系统管理员启用"
    if identity := values.get("identity_digest"):
        owner = staff.owners.get(identity)
        if (owner is not None and owner.user.username != username) or staff.identified.setdefault(identity, username) != username:
            return "这个证件号已属于另一位教职工；请核对证件号"
    for name in [*values["subjects"], *values["leads_subject"]]:
        if name not in staff.subjects:
            return f"没有“{name}”这门学科；请写课程方案里的名称，如 {'、'.join(list(staff.subjects)[:4])}"
    for grade in values["leads_grade"]:
        if grade not in staff.school.grades:
            return f"本校没有{grade_name(grade)}；请核对年级组长"
    for key in [*values["classes"], *values["leads_class"]]:
        if reason := result.refuse_class(staff.school, (key[0], key[1]), staff.year, creates_classes=creates_classes):
            return reason
    for key in values["leads_class"]:
        other = staff.class_teachers.setdefault((key[0], key[1]), username)
        if other != username:
            return f"{class_name(*key)}的班主任在名册里写了两个人；请核对后只留一个"
    return ""


def _line(result: Comparison, staff: _Staff, line: Line, username: str, accounts: dict[str, User]) -> Outcome:
    values, said, outcome = line.values, [], Outcome(RollAct.SAME)
    for grade, number in [*values["classes"], *values["leads_class"]]:
        result.need_class((grade, number))
    user = staff.users.get(username) or accounts.get(username)
    if user is None:
        user = accounts[username] = User(
            username=username, display_name=values["name"], role=Role.TEACHER, organisation=staff.school.organisation
        )
        user.set_unusable_password()
        said.append("新教师账户，发加入码后本人设密码")
        outcome.effects.append(_creates(user))
    elif username not in accounts and person_name(user.display_name) != values["name"]:
        said.append(f"姓名 {user.display_name} → {values['name']}")
        outcome.effects.append(_renames(user, values["name"]))
    _identify(staff, values, user, said, outcome)
    is_new = username in accounts
    held = {(each.school_class.grade, each.school_class.number, each.subject.name) for each in staff.assignments[user.pk or 0]}
    for subject in values["subjects"]:
        for grade, number in values["classes"]:
            fact = (username, (grade, number), subject)
            if (grade, number, subject) not in held and fact not in staff.stated:
                said.append(f"任教{class_name(grade, number)}{subject}")
                outcome.effects.append(_assigns(user, (grade, number), staff.subjects[subject], staff.effective_on))
            staff.stated.add(fact)
    said.extend(_duties(result, staff, values, user, outcome))
    if said:
        outcome.act, outcome.what = (RollAct.ADD if is_new else RollAct.CHANGE), "；".join(said)
    return outcome


def _creates(user: User) -> Effect:
    def effect(journal: Journal, classes: dict[ClassKey, SchoolClass]) -> None:
        user.full_clean(exclude=["password"])
        journal.create(user)

    return effect


def _renames(user: User, name: str) -> Effect:
    return lambda journal, classes: journal.change(user, display_name=name)


def _identify(staff: _Staff, values: dict[str, Any], user: User, said: list[str], outcome: Outcome) -> None:
    identity = values.get("identity_digest")
    if not identity or identity in staff.owners or ("identity", identity) in staff.given:
        return
    staff.given.add(("identity", identity))
    present = next((each for each in staff.owners.values() if each.user_id == user.pk), None)
    said.append(f"登记证件 {values['masked_identity']}（只留加密指纹）")
    outcome.effects.append(_records(user, present, identity, values["masked_identity"]))


def _records(user: User, present: StaffIdentity | None, identity: str, mask: str) -> Effect:
    def effect(journal: Journal, classes: dict[ClassKey, SchoolClass]) -> None:
        if present is None:
            journal.create(StaffIdentity(user=user, identity_digest=identity, masked_identity=mask))
        else:
            journal.change(present, identity_digest=identity, masked_identity=mask)

    return effect


def _assigns(user: User, key: ClassKey, subject: Subject, day: datetime.date) -> Effect:
    return lambda journal, classes: journal.create(
        TeachingAssignment(teacher=user, school_class=classes[key], subject=subject, starts_on=day)
    )


def _duties(result: Comparison, staff: _Staff, values: dict[str, Any], user: User, outcome: Outcome) -> list[str]:
    """Duties that a line gives and nobody has yet, an earlier line of the same teacher included."""
    said = []

    def give(what: str, key: object, effect: Effect) -> None:
        if (user.username, key) not in staff.given:
            staff.given.add((user.username, key))
            said.append(what)
            outcome.effects.append(effect)

    for grade, number in values["leads_class"]:
        present = result.classes.get((grade, number))
        teacher = present.class_teacher if present is not None else None
        if teacher is None or teacher.pk != user.pk:
            before = f"（原为{teacher}）" if teacher is not None else ""
            give(f"任{class_name(grade, number)}班主任{before}", (grade, number), _leads_class(user, (grade, number)))
    for grade in values["leads_grade"]:
        if user._state.adding or (grade, user.pk) not in staff.grade_leads:
            give(f"任{grade_name(grade)}组长", grade, _leads_grade(staff, user, grade))
    for name in values["leads_subject"]:
        subject = staff.subjects[name]
        if user._state.adding or (subject.pk, user.pk) not in staff.subject_leads:
            give(f"任{name}教研组长", name, _leads_subject(staff, user, subject))
    return said


def _leads_class(user: User, key: ClassKey) -> Effect:
    return lambda journal, classes: journal.change(classes[key], class_teacher=user)


def _leads_grade(staff: _Staff, user: User, grade: int) -> Effect:
    return lambda journal, classes: journal.create(GradeLead(school=staff.school, school_year=staff.year, grade=grade, user=user))


def _leads_subject(staff: _Staff, user: User, subject: Subject) -> Effect:
    return lambda journal, classes: journal.create(SubjectLead(school=staff.school, subject=subject, user=user))


def _end_unstated(result: Comparison, staff: _Staff, lines: Sequence[Line], usernames: Sequence[str]) -> None:
    """What a teacher teaches now and the roll does not state ends; told at the teacher's first line. A refused line ends nothing."""
    first: dict[str, Outcome] = {}
    is_doubtful = {name for name, outcome in zip(usernames, result.outcomes, strict=True) if outcome.act == RollAct.REFUSE}
    states_classes = {name for name, line in zip(usernames, lines, strict=True) if line.values.get("classes")}
    for name, outcome in zip(usernames, result.outcomes, strict=True):
        first.setdefault(name, outcome)
    for name in states_classes - is_doubtful:
        user = staff.users.get(name)
        for each in staff.assignments[user.pk] if user is not None else []:
            key = (each.school_class.grade, each.school_class.number)
            if (name, key, each.subject.name) not in staff.stated:
                outcome = first[name]
                outcome.effects.append(_stops(each, staff.effective_on))
                outcome.what = "；".join(filter(None, [outcome.what, f"不再任教{class_name(*key)}{each.subject.name}"]))
                outcome.act = RollAct.CHANGE


def _stops(assignment: TeachingAssignment, effective_on: datetime.date) -> Effect:
    return lambda journal, classes: stop_teaching(journal, assignment, last_day=effective_on - datetime.timedelta(days=1))
