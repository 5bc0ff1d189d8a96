"""The life of an import: taken in and previewed, applied once, perhaps taken back. The same for every sort of list.

Nothing of the register is written before it is confirmed. Applying asks the same question again under a lock: when the answer is another
than the one shown, nothing is done and the preview is made anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.institutions.actions.accounts import UNOPENED_ACCOUNTS
from qingdan.institutions.imports.comparing import Outcome, compare
from qingdan.institutions.imports.sheets import Reading
from qingdan.institutions.imports.staff_comparing import compare_staff
from qingdan.institutions.models import Institution, Permit, Premises, RegisterImport, Staff, StaffImport
from qingdan.places.journal import Discardable, Journal
from qingdan.places.journal import undo as undo_journal
from qingdan.places.models import Region
from qingdan.schools.enums import RollAct, RollStatus
from qingdan.schools.rolls.reading import Line
from qingdan.storage.refusals import constraint_of, message_of

log = logging.getLogger(__name__)
_BATCH = 1000

Import = RegisterImport | StaffImport
_Import = TypeVar("_Import", bound=Import)


class PreviewIsStale(ValidationError):
    """The register has changed since the preview was made."""


@dataclass(frozen=True)
class _Sort:
    """What is particular to one sort of list."""

    #: What each line would do now.
    compare: Callable[[Any, Sequence[Line], User], list[Outcome]]
    #: Makes two imports into the same register wait for each other.
    lock: Callable[[Any], object]
    #: Whose constraints speak for the database.
    writes: tuple[type[models.Model], ...]
    #: What hangs on the import's records and goes with them when it is undone.
    discards: Discardable


_SORTS: dict[type[models.Model], _Sort] = {
    RegisterImport: _Sort(
        lambda register, lines, by: compare(register.region, lines, by=by),
        lambda register: Region.objects.select_for_update(no_key=True).get(pk=register.region_id),
        (Institution, Premises, Permit),
        UNOPENED_ACCOUNTS,
    ),
    StaffImport: _Sort(
        lambda register, lines, by: compare_staff(register.institution, lines),
        lambda register: Institution.objects.select_for_update(no_key=True, of=("self",)).get(pk=register.institution_id),
        (Staff,),
        {},
    ),
}


def _outcomes(register: Import, lines: Sequence[Line], by: User) -> list[Outcome]:
    return _SORTS[type(register)].compare(register, lines, by)


@transaction.atomic
def take_in(register: _Import, reading: Reading, *, by: User) -> _Import:
    """Keep what was read, with what each line would do. ``register`` is new, and says by itself whose it is."""
    register.uploaded_by, register.ignored_columns = by, reading.ignored
    register.save()
    _write_rows(register, reading.lines, _outcomes(register, reading.lines, by))
    log.info("register.previewed %s=%s rows=%s by=%s", register._meta.model_name, register.pk, len(reading.lines), by.pk)
    return register


def _write_rows(register: Import, lines: Sequence[Line], outcomes: Sequence[Outcome]) -> None:
    row_model: Any = register.rows.model
    row_model.objects.bulk_create(
        [
            row_model(
                register=register, sheet=line.sheet, row=line.row, act=outcome.act, what=outcome.what,
                values={**line.values, "fault": line.fault},
            )
            for line, outcome in zip(lines, outcomes, strict=True)
        ],
        batch_size=_BATCH,
    )  # fmt: skip


def lines_of(register: Import) -> list[Line]:
    """The lines as they were read."""
    rows: Any = register.rows.all()
    return [Line(each.sheet, each.row, each.values, str(each.values.get("fault", ""))) for each in rows]


def _locked(register: Import) -> Import:
    """The import under its register's lock."""
    _SORTS[type(register)].lock(register)
    return type(register).objects.select_for_update(of=("self",)).get(pk=register.pk)


@transaction.atomic
def preview_again(register: Import, *, by: User) -> None:
    """Compare anew with the register as it is now."""
    register = _locked(register)
    if register.status == RollStatus.PREVIEWED:
        lines = lines_of(register)
        register.rows.all().delete()
        _write_rows(register, lines, _outcomes(register, lines, by))


@transaction.atomic
def apply(register: Import, *, by: User) -> bool:
    """Import what was previewed, all of it or nothing; a second time it does nothing and says so with False.

    Raises PreviewIsStale when the register has changed, ValidationError when there is nothing to import or the database refuses.
    """
    register = _locked(register)
    if register.status != RollStatus.PREVIEWED:
        return False
    outcomes = _outcomes(register, lines_of(register), by)
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
        said = message_of(constraint_of(error), *_SORTS[type(register)].writes) or "有一行与已登记的数据冲突，请重新比对后再试"
        raise ValidationError(f"没有导入：{said}") from error
    register.journal, register.status, register.applied_at = journal.entries, RollStatus.APPLIED, timezone.now()
    register.save(update_fields=["journal", "status", "applied_at"])
    log.info("register.applied %s=%s by=%s changes=%s", register._meta.model_name, register.pk, by.pk, len(journal.entries))
    return True


@transaction.atomic
def undo(register: Import, *, by: User) -> bool:
    """Put the register back as it was; raise ValidationError when something came to depend on what the import made."""
    register = _locked(register)
    if register.status != RollStatus.APPLIED:
        return False
    undo_journal(register.journal, discard=_SORTS[type(register)].discards)
    register.status, register.undone_at = RollStatus.UNDONE, timezone.now()
    register.save(update_fields=["status", "undone_at"])
    log.info("register.undone %s=%s by=%s", register._meta.model_name, register.pk, by.pk)
    return True


def registered_by(register: RegisterImport) -> list[Institution]:
    """The institutions that an import has made and not taken back."""
    if register.status != RollStatus.APPLIED:
        return []
    made = [each["pk"] for each in register.journal if each["model"] == Institution._meta.label and each["before"] is None]
    return list(Institution.objects.filter(pk__in=made).select_related("organisation"))


def discard(register: Import, *, by: User) -> bool:
    """Throw a preview away; what was imported is kept for good."""
    deleted, _ = type(register).objects.filter(pk=register.pk, status=RollStatus.PREVIEWED).delete()
    log.info("register.discarded %s=%s by=%s done=%s", register._meta.model_name, register.pk, by.pk, bool(deleted))
    return bool(deleted)
