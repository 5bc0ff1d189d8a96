"""The registry's acts: register, change, close; premises, owners, deals, lists, evaluations, pledges."""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction

from qingdan.accounts.enums import OrganisationKind
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions.accounts import open_account
from qingdan.institutions.enums import CapitalDeal, InstitutionState
from qingdan.institutions.models import CapitalChange, Institution, Listing, Owner, Premises, Session
from qingdan.judging.law import current_law
from qingdan.places.calendar import today
from qingdan.places.models import Region
from qingdan.policy.telling import Told
from qingdan.schools.actions.joining import Slip
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

_Record = TypeVar("_Record", bound=models.Model)


def save_checked(record: _Record, *, by: User, exclude: tuple[str, ...] = ()) -> _Record:
    """Check a record against everything that the database would refuse, and save it; raise ValidationError with what to do."""
    record.full_clean(exclude=exclude)
    with in_words(type(record)):
        record.save()
    log.info("institution.recorded model=%s pk=%s by=%s", record._meta.model_name, record.pk, by.pk)
    return record


@dataclass(frozen=True)
class FirstAccount:
    """Whom the registering officer names to sign in for the institution."""

    display_name: str
    #: Empty for the credit code.
    username: str = ""


@transaction.atomic
def register(
    institution: Institution, *, name: str, region: Region, by: User, account: FirstAccount | None = None
) -> tuple[Institution, Slip | None]:
    """Enter a new institution with its organisation and, where one is named, its first account with the one-time code.

    Raise ValidationError, and nothing is made, when one of them does not fit.
    """
    owner = Organisation(
        name=name.strip(), kind=OrganisationKind.INSTITUTION, layer_code=region.layer_code, region_code=region.code,
        is_fictional=region.is_fictional,
    )  # fmt: skip
    owner.full_clean()
    with in_words(Organisation):
        owner.save()
    institution.organisation, institution.region = owner, region
    save_checked(institution, by=by, exclude=("organisation", "region"))
    if account is None:
        return institution, None
    return institution, open_account(institution, username=account.username, display_name=account.display_name, by=by)


@transaction.atomic
def change(institution: Institution, *, name: str | None = None, by: User) -> Institution:
    """Save what was changed in memory, and the organisation's name with it."""
    owner = institution.organisation
    if name is not None and name.strip() != owner.name:
        owner.name = name.strip()
        owner.full_clean()
        with in_words(Organisation):
            owner.save(update_fields=["name"])
    return save_checked(institution, by=by, exclude=("organisation", "region"))


@transaction.atomic
def set_state(institution: Institution, *, state: str, reason: str, by: User) -> Institution:
    """Suspend, close or take up again, with a reason; who still has a permit in force is not closed."""
    held = Institution.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=institution.pk)
    if not reason.strip():
        raise ValidationError("请写明原因；停业、注销和恢复都会留下记录")
    if state == InstitutionState.CLOSED:
        _refuse_permits(held, None)
        refuse_planned_sessions(held)
    held.state, held.state_reason = state, reason.strip()
    return save_checked(held, by=by, exclude=("organisation", "region"))


def _refuse_permits(institution: Institution, premises: Premises | None) -> None:
    in_force = institution.permits.in_force(today())
    found = list((in_force if premises is None else in_force.filter(premises=premises)).values_list("number", flat=True))
    if found:
        raise ValidationError(f"还有有效的办学许可（{'、'.join(found)}）；请先注销许可再操作")


def refuse_planned_sessions(institution: Institution) -> None:
    """Raise ValidationError while sessions are still to come: nobody may find a closed door."""
    if count := Session.objects.planned().filter(institution=institution, on_date__gte=today()).count():
        raise ValidationError(f"今天起还排了 {count} 次课；请先让机构取消，再注销")


@transaction.atomic
def close_premises(premises: Premises, *, closed_on: datetime.date, by: User) -> Premises:
    """No longer use premises from after a day on; not while a permit holds there or sessions are planned later."""
    _refuse_permits(premises.institution, premises)
    later = Session.objects.planned().filter(room__premises=premises, on_date__gt=closed_on).count()
    if later:
        raise ValidationError(f"{closed_on:%Y-%m-%d} 之后这里还排了 {later} 次课；请先取消或换教室")
    premises.closed_on = closed_on
    return save_checked(premises, by=by, exclude=("institution",))


@transaction.atomic
def add_owner(owner: Owner, *, by: User) -> CapitalChange | None:
    """Record an owner. One that is listed, foreign or holds by agreement is a deal over capital too, which is recorded with it."""
    held = Owner.objects.filter(institution=owner.institution, until=None).aggregate(sum=models.Sum("share_percent"))["sum"] or 0
    if owner.until is None and held + owner.share_percent > 100:
        raise ValidationError(f"现有举办者合计已占 {held}%，再加 {owner.share_percent}% 超过 100%；请先结束退出的举办者")
    save_checked(owner, by=by, exclude=("institution",))
    if owner.is_foreign or owner.is_by_agreement:
        deal = CapitalDeal.FOREIGN_HOLDING
    elif owner.is_listed:
        deal = CapitalDeal.LISTED_INVESTMENT
    else:
        return None
    found, _ = CapitalChange.objects.get_or_create(
        institution=owner.institution, happened_on=owner.since, deal=deal, investor=owner.name,
        defaults={"share_percent": owner.share_percent, "recorded_by": by},
    )  # fmt: skip
    return found


def end_owner(owner: Owner, *, until: datetime.date, by: User) -> Owner:
    """An owner holds no share any more from after a day on."""
    if until < owner.since:
        raise ValidationError(f"终止日期不能早于起始日期 {owner.since:%Y-%m-%d}")
    owner.until = until
    return save_checked(owner, by=by, exclude=("institution",))


def end_listing(listing: Listing, *, until: datetime.date, reason: str, by: User) -> Listing:
    """Take an institution off a list, with a reason."""
    if not reason.strip():
        raise ValidationError("移出名单要写明理由")
    if listing.until is not None:
        raise ValidationError("已经移出名单了")
    if until < listing.since:
        raise ValidationError(f"移出日期不能早于列入日期 {listing.since:%Y-%m-%d}")
    listing.until, listing.removal_reason = until, reason.strip()[:300]
    return save_checked(listing, by=by, exclude=("institution", "decided_by"))


@dataclass(frozen=True)
class Objection:
    """What the law says against a record, told in its words."""

    row_id: int
    told: Told


def objections(institution: Institution, kind: str) -> list[Objection]:
    """The breaches of an institution's facts of a kind (``institution``, ``institution_capital``), as the law is today."""
    law = current_law()
    judged: list[Any] = law.judge_touched(kind, organisation_id=institution.pk)
    return [Objection(each.row_id, Told.of(finding, law.pack)) for each in judged for finding in each.breaches]
