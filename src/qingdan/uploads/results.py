"""Keeps what an attempt at judging found: all of it at once, as the rows that the pages show."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice

from django.db import models, transaction
from django.utils import timezone

from qingdan.audit import Audit, NotJudged
from qingdan.policy.findings import Finding as CoreFinding
from qingdan.policy.pack import Pack
from qingdan.policy.telling import Told
from qingdan.uploads.enums import UploadStatus
from qingdan.uploads.models import Finding, SkippedRegion, UnjudgedRule, UnreadItem, Upload, UploadReport
from qingdan.workbooks import Skipped, Unreadable

log = logging.getLogger(__name__)
_BATCH = 1000


def keep_results(upload: Upload, audit: Audit, report: bytes, *, folder: str) -> bool:
    """Replace what an upload showed by what this attempt found, all at once; False when a later attempt has begun."""
    with transaction.atomic():
        current = Upload.objects.select_for_update().filter(pk=upload.pk, attempt=upload.attempt, status=UploadStatus.RUNNING).first()
        if current is None:
            return False
        for model in (Finding, UnreadItem, SkippedRegion, UnjudgedRule, UploadReport):
            model._default_manager.filter(upload=current).delete()
        _keep_rows(current, audit, _Names(folder))
        UploadReport.objects.create(upload=current, content=report)
        summary = audit.summary
        for name in ("records", "compliant", "breach", "undetermined", "unreadable"):
            setattr(current, name, getattr(summary, name))
        current.status, current.judged_at, current.problems = UploadStatus.DONE, timezone.now(), []
        current.progress_what = ""
        current.full_clean(exclude=["organisation", "uploaded_by"])
        current.save()
    log.info("upload.judged upload=%s records=%s breach=%s", upload.pk, summary.records, summary.breach)
    return True


class _Names:
    """File names as the clerk knows them, without the folder in which they were unpacked."""

    def __init__(self, folder: str) -> None:
        self.prefix = f"{folder}/"

    def __call__(self, file: str) -> str:
        return file.removeprefix(self.prefix)[:150]

    def out_of(self, text: str) -> str:
        """A message without the folder."""
        return text.replace(self.prefix, "")


def _cut(text: str | None, length: int = 150) -> str:
    return (text or "").replace("\x00", "")[:length]


def _create(model: type[models.Model], rows: Iterator[models.Model]) -> None:
    while batch := list(islice(rows, _BATCH)):
        model._default_manager.bulk_create(batch)


def _keep_rows(upload: Upload, audit: Audit, names: _Names) -> None:
    pack = audit.pack
    _create(Finding, (stored_finding(upload, each, position, pack, names) for position, each in enumerate(audit.findings(), 1)))
    _create(UnreadItem, (_unread_item(upload, each, names) for each in audit.unreadable))
    _create(SkippedRegion, (_skipped_region(upload, each, names) for each in audit.skipped))
    _create(UnjudgedRule, (_unjudged_rule(upload, each, names) for each in audit.not_judged))


def _unread_item(upload: Upload, each: Unreadable, names: _Names) -> UnreadItem:
    return UnreadItem(
        upload=upload,
        file=names(each.file),
        sheet=_cut(each.sheet),
        row=each.row,
        column=_cut(each.column, 200),
        value=_cut(str(each.value), 2000),
        reason=names.out_of(each.reason),
    )


def _skipped_region(upload: Upload, each: Skipped, names: _Names) -> SkippedRegion:
    return SkippedRegion(
        upload=upload,
        file=names(each.file),
        sheet=_cut(each.sheet),
        first_row=each.first_row,
        last_row=each.last_row,
        what=each.what,
    )


def _unjudged_rule(upload: Upload, each: NotJudged, names: _Names) -> UnjudgedRule:
    return UnjudgedRule(
        upload=upload,
        rule_id=each.rule.id,
        title=each.rule.title,
        file=names(each.file),
        sheet=_cut(each.sheet),
        missing=list(each.missing),
        reason=each.reason,
    )


def stored_finding(upload: Upload, finding: CoreFinding, position: int, pack: Pack, names: _Names) -> Finding:
    """A finding of the core as the row that the page shows, with the law's words of the day."""
    told = Told.of(finding, pack)
    first = finding.sources[0] if finding.sources else None
    return Finding(
        upload=upload,
        position=position,
        rule_id=told.rule_id,
        title=told.title,
        verdict=finding.verdict.value,
        place=told.place,
        subject=told.subject,
        date=told.date,
        sentence=told.sentence,
        remedy=told.remedy,
        file=names(first.file) if first else "",
        sheet=_cut(first.sheet) if first else "",
        sources=[{"file": names(each.file), "sheet": _cut(each.sheet), "rows": list(each.rows[:50])} for each in finding.sources],
        observed=told.observed,
        limits=told.limits,
        cites=told.cites,
    )
