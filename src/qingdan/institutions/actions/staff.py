"""Who may work for an institution, and how the bureau checks, files and publishes it.

Whoever is entered is judged as he would stand once the bureau has checked, filed and published him: what is left to refuse then lies in
the person – a serving school teacher, a foreigner abroad, an academic teacher without certificate. Institution and school never see
each other's lists: a keyed digest is compared, and each side learns only of its own person.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions.trying import Refused, objections_to
from qingdan.institutions.models import Staff
from qingdan.institutions.models.staff import StaffQuerySet
from qingdan.notices.models import Notice
from qingdan.places.calendar import today
from qingdan.policy.telling import Told
from qingdan.schools.models import StaffIdentity

log = logging.getLogger(__name__)

#: What the bureau's check brings about; a change of the person takes it back.
_CHECKED = ("is_qualification_checked", "is_filed", "is_published")


def matched_staff(user: User) -> StaffQuerySet:
    """Those who work for an institution that a bureau oversees and are on the staff of some school; which one, nobody is told."""
    digests = StaffIdentity.objects.values("identity_digest")
    return Staff.objects.visible_to(user).employed(today()).filter(identity_digest__in=digests)


def matched_teachers(leader: User) -> QuerySet[User]:
    """A school's own people who are on the list of some training institution; which one, the school is not told."""
    digests = Staff.objects.employed(today()).values("identity_digest")
    own = User.objects.filter(organisation=leader.employer, is_active=True)
    return own.filter(identity__identity_digest__in=digests).order_by("display_name", "pk")


def _objections(staff: Staff) -> list[Told]:
    done = dict.fromkeys((*_CHECKED, "is_shown_on_site"), True)
    return objections_to("institution_staff", staff.pk, lambda: Staff.objects.filter(pk=staff.pk).update(**done))


@transaction.atomic
def enter_staff(*, staff: Staff, by: User) -> Staff:
    """Add somebody or change what is known of him; raises ValidationError, or Refused when the law says no.

    What the bureau has checked has to be checked again after a change.
    """
    if staff.pk is not None:
        Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    for name in (*_CHECKED, "is_shown_on_site"):
        setattr(staff, name, False)
    staff.checked_by = None
    is_new = staff.pk is None
    staff.full_clean(exclude=["checked_by"])
    try:
        with transaction.atomic():
            staff.save()
            if objections := _objections(staff):
                raise Refused(objections)
    except Refused as refused:
        if is_new:
            staff.pk, staff._state.adding = None, True
        log.warning("staff.refused by=%s rules=%s", by.pk, ",".join(each.rule_id for each in refused.objections))
        raise
    log.info("staff.entered by=%s staff=%s new=%s", by.pk, staff.pk, is_new)
    return staff


@transaction.atomic
def enter_all(*, people: Sequence[Staff], by: User) -> int:
    """Add everybody of a list, all or nobody; raises as :func:`enter_staff` does. The number is returned."""
    for each in people:
        enter_staff(staff=each, by=by)
    return len(people)


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
    for name in _CHECKED:
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
    Staff.objects.filter(pk=staff.pk).update(checked_by=by, **dict.fromkeys((*_CHECKED, "is_shown_on_site"), False))
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


def tell_bureau_of_match(*, staff: Staff) -> bool:
    """Tell the bureau that an institution wanted to employ a serving teacher: the institution, no name and no school.

    The school is not told of what was only tried: anybody's number can be typed.
    """
    if not StaffIdentity.objects.filter(identity_digest=staff.identity_digest).exists():
        return False
    owner = staff.institution.organisation
    bureaus = [
        each
        for each in User.objects.filter(role__in=OFFICERS, is_active=True).select_related("organisation")
        if each.organisation and Organisation.objects.overseen_by(each.organisation).filter(pk=owner.pk).exists()
    ]
    Notice.objects.send(
        bureaus,
        occasion=f"staff-match:{owner.pk}:{staff.identity_digest[:16]}",
        text=f"{owner.name}拟聘用的一人是在职中小学教师，系统已拦下",
    )
    return True
