"""Prices: the bureau's guided prices, and the fees that institutions file before they charge them."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from qingdan.accounts.models import Organisation, User
from qingdan.escrow.models import FeeFiling, GuidedPrice, OfferedCourse
from qingdan.escrow.trial import objections_to_fee, on_trial
from qingdan.judging.trying import Refused
from qingdan.places.calendar import today
from qingdan.places.models import Region
from qingdan.policy.telling import Told
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)

_BANDS = ("region_id", "category", "class_size_from", "class_size_until", "minutes_from", "minutes_until")


@transaction.atomic
def set_price(*, price: GuidedPrice, by: User) -> GuidedPrice | None:
    """Keep a new guided price; the one of exactly the same bands ends the day before, and is the answer.

    Raises ValidationError when it is not whole, or overlaps one of other bands.
    """
    price.entered_by = by
    before = _predecessor(price)
    if before is not None:
        before.ends_on = price.starts_on - datetime.timedelta(days=1)
        before.save(update_fields=["ends_on"])
    price.full_clean()
    with in_words(GuidedPrice):
        price.save()
    log.info("escrow.price.set by=%s price=%s fen=%s", by.pk, price.pk, price.price_fen)
    return before


def _predecessor(price: GuidedPrice) -> GuidedPrice | None:
    """The price of the same bands that is still in force when this one begins."""
    starts_on: datetime.date | None = price.starts_on
    if starts_on is None:
        return None
    same = GuidedPrice.objects.select_for_update().filter(**{name: getattr(price, name) for name in _BANDS})
    return same.filter(Q(ends_on=None) | Q(ends_on__gte=starts_on), starts_on__lt=starts_on).first()


@transaction.atomic
def end_price(*, price: GuidedPrice, on: datetime.date, by: User) -> None:
    """A guided price holds until a day (that day included). Raises ValidationError when the day lies before its first."""
    held = GuidedPrice.objects.select_for_update().get(pk=price.pk)
    if on < held.starts_on:
        raise ValidationError("废止日期不能早于施行日期；还没有施行的可以删除")
    if on < today() - datetime.timedelta(days=1) and held.ends_on is None:
        raise ValidationError("废止日期不能早于昨天：已经照它收的费不能改判")
    held.ends_on = on
    with in_words(GuidedPrice):
        held.save(update_fields=["ends_on"])
    log.info("escrow.price.ended by=%s price=%s on=%s", by.pk, held.pk, on)


@transaction.atomic
def delete_price(*, price: GuidedPrice, by: User) -> None:
    """Delete a price that has never been in force."""
    if price.starts_on <= today():
        raise ValidationError("已经施行的指导价不能删除，可以写明废止日期")
    log.info("escrow.price.deleted by=%s price=%s", by.pk, price.pk)
    price.delete()


@dataclass(frozen=True)
class PriceRow:
    """A row of a workbook, read: where it stands, and the price or what is wrong with it."""

    number: int
    price: GuidedPrice | None
    problem: str = ""


@dataclass(frozen=True)
class PricesTaken:
    """What became of the rows of a workbook."""

    added: int
    unchanged: int
    #: ``(row, problem)``.
    refused: tuple[tuple[int, str], ...]


def take_prices(*, region: Region, rows: Iterable[PriceRow], by: User) -> PricesTaken:
    """Keep each row that is whole; the others are told with their rows. A price that stands already is left alone."""
    added = unchanged = 0
    refused: list[tuple[int, str]] = []
    for row in rows:
        if row.price is None:
            refused.append((row.number, row.problem))
            continue
        row.price.region = region
        if _stands(row.price):
            unchanged += 1
            continue
        try:
            set_price(price=row.price, by=by)
        except ValidationError as error:
            refused.append((row.number, _in_columns(error)))
        else:
            added += 1
    log.info("escrow.prices.imported by=%s added=%s unchanged=%s refused=%s", by.pk, added, unchanged, len(refused))
    return PricesTaken(added, unchanged, tuple(refused))


def _in_columns(error: ValidationError) -> str:
    """What is wrong with a row, by the names of its columns."""
    if not hasattr(error, "error_dict"):
        return "；".join(error.messages)
    fields = {each.name: str(each.verbose_name) for each in GuidedPrice._meta.concrete_fields}
    return "；".join(
        f"{fields[name]}：{'，'.join(said)}" if name in fields else "，".join(said) for name, said in error.message_dict.items()
    )


def _stands(price: GuidedPrice) -> bool:
    same = {name: getattr(price, name) for name in (*_BANDS, "price_fen", "starts_on", "ends_on")}
    return GuidedPrice.objects.filter(**same).exists()


def price_of(organisation: Organisation, *, category: str, class_size: int, lesson_minutes: int) -> GuidedPrice | None:
    """The guided price that holds today for such a course where the institution is."""
    region = Region.objects.filter(code=organisation.region_code).first()
    if region is None:
        return None
    found = GuidedPrice.objects.of(region=region, category=category, class_size=class_size, lesson_minutes=lesson_minutes, day=today())
    return found.first()


def prepare_filing(*, course: OfferedCourse, standard_fen: int, by: User) -> FeeFiling:
    """A fee for a course as it would be filed today, not saved."""
    guided = price_of(course.institution, category=course.category, class_size=course.class_size, lesson_minutes=course.lesson_minutes)
    return FeeFiling(
        institution=course.institution,
        course_number=course.number,
        item=course.name,
        category=course.category,
        grade=course.grade,
        class_size=course.class_size,
        lesson_minutes=course.lesson_minutes,
        standard_fen=standard_fen,
        guided_price_fen=guided.price_fen if guided else None,
        filed_on=today(),
        filed_by=by,
    )


@transaction.atomic
def file_fee(*, filing: FeeFiling, by: User) -> FeeFiling | None:
    """File what is charged for a course from today; an earlier filing of the course is withdrawn by it, and is the answer.

    Raises Refused with what the law has against the amount, ValidationError when it is not whole. A published fee that changes is
    published again by itself: the public never sees an old one.
    """
    before = (
        FeeFiling.objects.select_for_update()
        .filter(institution=filing.institution, course_number=filing.course_number, withdrawn_on=None)
        .first()
    )
    if before is not None:
        if before.standard_fen == filing.standard_fen:
            raise ValidationError(f"“{before.item}”已按这个标准备案，不用再报")
        before.withdrawn_on = today()
        before.save(update_fields=["withdrawn_on"])
        if before.published_on is not None:
            filing.published_on = filing.filed_on
    filing.full_clean()
    with in_words(FeeFiling):
        filing.save()
    if objections := fee_objections(filing):
        raise Refused(objections)
    log.info("escrow.fee.filed by=%s filing=%s course=%s fen=%s", by.pk, filing.pk, filing.course_number, filing.standard_fen)
    return before


def fee_objections(filing: FeeFiling) -> list[Told]:
    """What the law has against the amount of a fee as it stands in the database."""
    with on_trial() as law:
        return objections_to_fee(law.judge_touched("fee_item", row_id=filing.course_number), law)


@transaction.atomic
def publish_fee(*, filing: FeeFiling, by: User) -> None:
    """Show a filed fee to the public. Published already: nothing happens."""
    held = FeeFiling.objects.select_for_update().get(pk=filing.pk)
    if held.withdrawn_on is not None:
        raise ValidationError("这项收费已停用，不能公示；请重新备案")
    if held.published_on is None:
        held.published_on = today()
        held.save(update_fields=["published_on"])
        log.info("escrow.fee.published by=%s filing=%s", by.pk, held.pk)


@transaction.atomic
def withdraw_fee(*, filing: FeeFiling, by: User) -> None:
    """A fee is charged no longer from today; contracts that were signed stay."""
    held = FeeFiling.objects.select_for_update().get(pk=filing.pk)
    if held.withdrawn_on is None:
        held.withdrawn_on = today()
        held.save(update_fields=["withdrawn_on"])
        log.info("escrow.fee.withdrawn by=%s filing=%s", by.pk, held.pk)
