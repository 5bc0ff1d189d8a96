"""Who may work for an institution, and how the bureau checks, files and publishes it.

Whoever is entered is judged as he would stand once the bureau has checked, filed and published him: what is left to refuse then lies in
the person – a serving school teacher, a foreigner abroad, an academic teacher without certificate. Institution and school never see
each other's lists: a keyed digest is compared, and each side learns only of its own person.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.models import Institution, Staff
from qingdan.institutions.models.staff import StaffQuerySet
from qingdan.judging.trying import Refused, objections_by_row, objections_to
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.policy.telling import Told
from qingdan.schools.models import StaffIdentity
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

#: What the bureau's check brings about.
_BY_CHECK = ("is_qualification_checked", "is_filed", "is_published")
#: With the sheet on the premises that comes of it; a change of the person takes all of it back.
CHECKED = (*_BY_CHECK, "is_shown_on_site")


def matched_staff(user: User) -> StaffQuerySet:
    """Those who work for an institution that a bureau oversees and are on the staff of some school; which one, nobody is told."""
    digests = StaffIdentity.objects.values("identity_digest")
    return Staff.objects.visible_to(user).employed(today()).filter(identity_digest__in=digests)


def matched_teachers(leader: User) -> QuerySet[User]:
    """A school's own people who are on the list of some training institution; which one, the school is not told."""
    digests = Staff.objects.employed(today()).values("identity_digest")
    own = User.objects.filter(organisation=leader.employer, is_active=True)
    return own.filter(identity__identity_digest__in=digests).order_by("display_name", "pk")


def as_if_checked(staff: Staff) -> Staff:
    """Somebody as he would stand once the bureau has checked, filed and published him."""
    for name in CHECKED:
        setattr(staff, name, True)
    return staff


def objections_to_staff(people: Sequence[Staff]) -> list[list[Told]]:
    """What the law has against each of an institution's people, new or changed, as they stand here; nothing stays written."""
    if not people:
        return []
    new = [each for each in people if each._state.adding]
    old = [each for each in people if not each._state.adding]
    told: dict[int, list[Told]] = {}
    try:
        told = objections_by_row("institution_staff", lambda: _write_all(new, old), organisation_id=people[0].institution_id)
        return [told.get(each.pk, []) for each in people]
    finally:
        for each in new:
            each.pk, each._state.adding = None, True


def _write_all(new: Sequence[Staff], old: Sequence[Staff]) -> None:
    Staff.objects.bulk_create(new)
    fields = [each.name for each in Staff._meta.concrete_fields if not each.primary_key]
    Staff.objects.bulk_update(old, fields)


def _objections(staff: Staff) -> list[Told]:
    write = Staff.objects.filter(pk=staff.pk)
    return objections_to("institution_staff", staff.pk, lambda: write.update(**dict.fromkeys(CHECKED, True)))


@transaction.atomic
def enter_staff(*, staff: Staff, by: User) -> Staff:
    """Add somebody or change what is known of him; raises ValidationError, or Refused when the law says no.

    What the bureau has checked has to be checked again after a change.
    """
    staff.institution.refuse_when_closed()
    if staff.pk is not None:
        Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    for name in CHECKED:
        setattr(staff, name, False)
    staff.checked_by = None
    is_new = staff.pk is None
    staff.full_clean(exclude=["checked_by"])
    try:
        with in_words(Staff):
            staff.save()
            if objections := _objections(staff):
                raise Refused(objections)
    except (Refused, ValidationError) as error:
        if is_new:
            staff.pk, staff._state.adding = None, True
        if isinstance(error, Refused):
            log.warning("staff.refused by=%s rules=%s", by.pk, ",".join(each.rule_id for each in error.objections))
        raise
    log.info("staff.entered by=%s staff=%s new=%s", by.pk, staff.pk, is_new)
    return staff


@transaction.atomic
def leave(*, staff: Staff, last_day: datetime.date, by: User) -> None:
    """Somebody works there until a day; he stays on record."""
    staff.employed_until = last_day
    staff.full_clean(exclude=["checked_by", "institution"])
    staff.save(update_fields=["employed_until"])
    log.info("staff.left by=%s staff=%s", by.pk, staff.pk)


@transaction.atomic
def check_staff(*, staff: Staff, by: User, is_certificate_fitting: bool | None, meets_foreign_rules: bool | None) -> None:
    """The bureau has checked a qualification: it is filed and published. Raises Refused where the law says otherwise."""
    found = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    if found.employed_until is not None and found.employed_until < today():
        raise ValidationError("这个人已离职，不用审核")
    found.is_certificate_fitting, found.meets_foreign_rules = is_certificate_fitting, meets_foreign_rules
    found.checked_by = by
    for name in _BY_CHECK:
        setattr(found, name, True)
    found.save()
    if objections := _objections(found):
        raise Refused(objections)
    _tell(found, f"从业人员“{found.name}”资质已审核，已备案公示")
    log.info("staff.checked by=%s staff=%s", by.pk, staff.pk)


@transaction.atomic
def take_back(*, staff: Staff, by: User, reason: str) -> None:
    """The bureau takes check, filing and publication back, with a reason that the institution is told."""
    if not reason.strip():
        raise ValidationError("退回要写明理由")
    Staff.objects.filter(pk=staff.pk).update(checked_by=by, **dict.fromkeys(CHECKED, False))
    _tell(staff, f"从业人员“{staff.name}”未通过审核：{reason.strip()[:200]}")
    log.info("staff.taken_back by=%s staff=%s", by.pk, staff.pk)


def put_up(*, institution: Organisation, by: User) -> int:
    """The institution has put the published list up on its premises; how many stand on it is returned."""
    count = Staff.objects.filter(institution_id=institution.pk).published(today()).update(is_shown_on_site=True)
    log.info("staff.put_up by=%s institution=%s people=%s", by.pk, institution.pk, count)
    return count


def _tell(staff: Staff, text: str) -> None:
    users = User.objects.filter(organisation_id=staff.institution_id, role=Role.INSTITUTION, is_active=True)
    serial = Notice.objects.filter(occasion__startswith=f"staff-checked:{staff.pk}:").count()
    Notice.objects.send(users, occasion=f"staff-checked:{staff.pk}:{serial}", text=text, url=f"/institutions/staff/?q={staff.name}")


def tell_bureau_of_matches(*, institution: Institution, digests: Collection[str]) -> int:
    """Tell the bureau that an institution wanted to employ serving teachers: the institution, no name and no school; how many they are.

    The school is not told of what was only tried: anybody's number can be typed.
    """
    matched = list(StaffIdentity.objects.filter(identity_digest__in=digests).values_list("identity_digest", flat=True))
    if not matched:
        return 0
    owner = institution.organisation
    bureaus = [
        each
        for each in User.objects.filter(role__in=OFFICERS, is_active=True).select_related("organisation")
        if each.organisation and Organisation.objects.overseen_by(each.organisation).filter(pk=owner.pk).exists()
    ]
    for digest in matched:
        Notice.objects.send(
            bureaus,
            occasion=f"staff-match:{owner.pk}:{digest[:16]}",
            text=f"{owner.name}拟聘用的一人是在职中小学教师，系统已拦下",
        )
    return len(matched)
