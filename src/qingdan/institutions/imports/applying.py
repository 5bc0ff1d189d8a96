"""The life of an import: taken in and previewed, applied once, perhaps taken back.

Nothing of the register is written before it is confirmed. Applying asks the same question again under the region's lock: when the
answer is another than the one shown, nothing is done and the preview is made anew.
"""

from __future__ import annotations

import logging

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.institutions.imports.comparing import Outcome, compare
from qingdan.institutions.imports.reading import RegisterReading
from qingdan.institutions.models import Institution, Permit, Premises, RegisterImport, RegisterRow
from qingdan.places.calendar import today
from qingdan.places.journal import Journal
from qingdan.places.journal import undo as undo_journal
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct, RollStatus
from qingdan.schools.rolls.reading import Line
from qingdan.storage.refusals import constraint_of, message_of

log = logging.getLogger(__name__)
_BATCH = 1000


class PreviewIsStale(ValidationError):
    """The register has changed since the preview was made."""


@transaction.atomic
def take_in(region: Region, reading: RegisterReading, *, file_name: str, by: User) -> RegisterImport:
    """Keep what was read, with what each line would do."""
    register = RegisterImport.objects.create(region=region, file_name=file_name, uploaded_by=by, ignored_columns=reading.ignored)
    _write_rows(register, reading.lines, compare(region, reading.lines, by=by, day=today()))
    log.info("register.previewed register=%s rows=%s by=%s", register.pk, len(reading.lines), by.pk)
    return register


def _write_rows(register: RegisterImport, lines: list[Line], outcomes: list[Outcome]) -> None:
    rows = [
        RegisterRow(
            register=register, sheet=line.sheet, row=line.row, act=outcome.act, what=outcome.what,
            values={**line.values, "fault": line.fault},
        )
        for line, outcome in zip(lines, outcomes, strict=True)
    ]  # fmt: skip
    RegisterRow.objects.bulk_create(rows, batch_size=_BATCH)


def _lines(register: RegisterImport) -> list[Line]:
    return [Line(each.sheet, each.row, each.values, str(each.values.get("fault", ""))) for each in register.rows.all()]


def _locked(register: RegisterImport) -> RegisterImport:
    """The import under its region's lock: two imports of a region wait for each other."""
    Region.objects.select_for_update(no_key=True).get(pk=register.region_id)
    return RegisterImport.objects.select_for_update(of=("self",)).select_related("region").get(pk=register.pk)


@transaction.atomic
def preview_again(register: RegisterImport, *, by: User) -> None:
    """Compare anew with the register as it is now."""
    register = _locked(register)
    if register.status == RollStatus.PREVIEWED:
        lines = _lines(register)
        register.rows.all().delete()
        _write_rows(register, lines, compare(register.region, lines, by=by, day=today()))


@transaction.atomic
def apply(register: RegisterImport, *, by: User) -> bool:
    """Import what was previewed, all of it or nothing; a second time it does nothing and says so with False.

    Raises PreviewIsStale when the register has changed, ValidationError when there is nothing to import or the database refuses.
    """
    register = _locked(register)
    if register.status != RollStatus.PREVIEWED:
        return False
    outcomes = compare(register.region, _lines(register), by=by, day=today())
    if list(register.rows.values_list("act", "what")) != [(each.act, each.what) for each in outcomes]:
        raise PreviewIsStale("预览之后名册有了变化，已按现在的数据重新比对；请再核对一遍后确认")
    if not any(each.act in (RollAct.ADD, RollAct.CHANGE) for each in outcomes):
        raise ValidationError("没有要导入的内容：每一行都与现在相同，或被拒收")
    journal = Journal()
    try:
        with transaction.atomic():
            for effect in (effect for each in outcomes for effect in each.effects):
                effect(journal)
    except IntegrityError as error:
        said = message_of(constraint_of(error), Institution, Premises, Permit) or "有一行与已登记的数据冲突，请重新比对后再试"
        raise ValidationError(f"没有导入：{said}") from error
    register.journal, register.status, register.applied_at = journal.entries, RollStatus.APPLIED, timezone.now()
    register.save(update_fields=["journal", "status", "applied_at"])
    log.info("register.applied register=%s by=%s changes=%s", register.pk, by.pk, len(journal.entries))
    return True


@transaction.atomic
def undo(register: RegisterImport, *, by: User) -> bool:
    """Put the register back as it was; raise ValidationError when something came to depend on what the import made."""
    register = _locked(register)
    if register.status != RollStatus.APPLIED:
        return False
    undo_journal(register.journal)
    register.status, register.undone_at = RollStatus.UNDONE, timezone.now()
    register.save(update_fields=["status", "undone_at"])
    log.info("register.undone register=%s by=%s", register.pk, by.pk)
    return True


def discard(register: RegisterImport, *, by: User) -> bool:
    """Throw a preview away; what was imported is kept for good."""
    deleted, _ = RegisterImport.objects.filter(pk=register.pk, status=RollStatus.PREVIEWED).delete()
    log.info("register.discarded register=%s by=%s done=%s", register.pk, by.pk, bool(deleted))
    return bool(deleted)
