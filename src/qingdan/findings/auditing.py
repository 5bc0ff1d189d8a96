"""The audit of everything recorded: judge every kind of fact, then bring the findings into line, all at once.

Judging takes seconds to minutes and writes nothing but its progress. What it finds is collected in a temporary table of the
connection; a single transaction at the end merges that into the findings, so that a page shows either the last audit or this one.
An audit may be killed at any moment and is then begun anew (see ``tasks``). Two never run at once: one waits for the other by an
advisory lock, which PostgreSQL releases when the worker's connection dies, and an attempt that was overtaken writes nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.accounts.models import User
from qingdan.findings.enums import FindingDay, RunStatus
from qingdan.findings.merging import Breach, collect, collecting, merge
from qingdan.findings.models import ATTEMPTS_MAX, AuditRun
from qingdan.judging.law import Judged, Law, current_law
from qingdan.places.calendar import SchoolCalendar
from qingdan.policy.findings import Finding as CoreFinding
from qingdan.policy.provisions import Rule
from qingdan.policy.telling import Told
from qingdan.policy.vocabulary import PLACE, FactKind
from qingdan.storage.progress import Teller
from qingdan.storage.refusals import in_words

log = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]

#: Any number that no other part of the house locks by.
_AUDITING = 7_310_002
_BATCH = 1000


@dataclass
class KindResult:
    """What an audit says of one fact kind."""

    kind: FactKind
    #: Kind of day -> facts; only of kinds whose facts are of one day.
    facts_by_day: dict[str, int]
    facts: int
    breaches_by_day: Counter[str] = field(default_factory=Counter)
    breaches: int = 0
    #: Rule id -> facts that it could not judge, and why: labels of what is missing.
    undetermined: Counter[str] = field(default_factory=Counter)
    missing: dict[str, dict[str, None]] = field(default_factory=dict)

    def as_json(self, law: Law) -> dict[str, Any]:
        """As the run's summary keeps it."""
        days = [name for name in FindingDay.values if self.facts_by_day.get(name)]
        return {
            "kind": self.kind.name,
            "label": self.kind.label,
            "facts": self.facts,
            "breaches": self.breaches,
            "by_day_kind": [
                {
                    "day_kind": name,
                    "label": FindingDay(name).label,
                    "facts": self.facts_by_day[name],
                    "breaches": self.breaches_by_day[name],
                }
                for name in days
            ],
            "undetermined": [
                {"rule": rule, "title": law.pack.rules[rule].title, "count": count, "missing": list(self.missing[rule])}
                for rule, count in self.undetermined.most_common()
            ],
        }


# ---- starting


def start_audit(*, by: User | None = None) -> AuditRun:
    """Queue an audit; raise ValidationError when one waits already. ``by`` is nobody for the one at night."""
    from qingdan.findings.tasks import audit

    run = AuditRun(started_by=by)
    run.validate_constraints()
    with in_words(AuditRun):
        run.save()
        audit.defer(run_id=run.pk)
    log.info("audit.queued run=%s by=%s", run.pk, by.pk if by else None)
    return run


def start_nightly_audit() -> AuditRun | None:
    """Queue the audit of this night, unless one is under way or the night has had its own."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    tonight = AuditRun.objects.filter(started_by=None, queued_at__gte=midnight).exclude(status=RunStatus.FAILED)
    if tonight.exists() or AuditRun.objects.under_way().exists():
        return None
    return start_audit()


def requeue_lost_runs() -> list[int]:
    """Queue again every audit that waits or runs although no job is left for it; return their numbers."""
    from qingdan.findings.tasks import audit

    with_job = ProcrastinateJob.objects.filter(task_name=audit.name, status__in=["todo", "doing"]).values_list("args__run_id", flat=True)
    lost = list(AuditRun.objects.under_way().exclude(pk__in=list(with_job)).values_list("pk", flat=True))
    for pk in lost:
        log.warning("audit.queued_again run=%s", pk)
        audit.defer(run_id=pk)
    return lost


def run_audit(run_id: int) -> None:
    """Do one audit. Safe to run again after an interruption at any point; without effect for one that is at an end."""
    with _alone():
        run = AuditRun.objects.filter(pk=run_id).first()
        if run is None or not run.take_up():
            return
        if run.attempt > ATTEMPTS_MAX:
            run.fail("体检几次都中途停下；请重新开始，若仍不行，请联系管理员查看日志")
            return
        try:
            run_audit_of_database(run, Teller(run.tell_progress))
        except Exception:
            # The bureau gets a page, not an endless bar; the operator gets the traceback.
            log.exception("audit.broke run=%s", run.pk)
            run.fail("体检程序出了意外，已记入日志。请重新开始；若仍不行，请联系管理员")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock that lets only one audit go on in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_AUDITING])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_AUDITING])


# ---- judging


def run_audit_of_database(run: AuditRun, progress: Progress) -> bool:
    """Judge everything recorded and bring the findings into line; False when a later attempt has begun in the meantime.

    ``progress`` is told what is being done, how much is done, and of how much.
    """
    law = current_law()
    kinds = law.kinds_to_judge()
    # Judging a kind and explaining what it breaks are a step each; the merge is the last one.
    steps = 2 * len(kinds) + 1
    results = []
    with collecting():
        for number, kind in enumerate(kinds):
            progress(f"判定{kind.label}", 2 * number, steps)
            result, rows = _judged(law, kind)
            results.append(result)
            for done, batch in _batches(_breaches(law, result, rows)):
                progress(f"说明{kind.label}的问题，{done:,} / {len(rows):,}", 2 * number + 1, steps)
                collect(batch)
        progress("更新问题清单", steps - 1, steps)
        return merge(run, [result.as_json(law) for result in results])


def _batches(breaches: Iterator[Breach]) -> Iterator[tuple[int, list[Breach]]]:
    done = 0
    while batch := list(islice(breaches, _BATCH)):
        yield done, batch
        done += len(batch)


def _judged(law: Law, kind: FactKind) -> tuple[KindResult, list[dict[str, Any]]]:
    """Counts of a kind, and the rows that break something; rows that cannot be judged are counted and let go."""
    by_day, whole = _count(law, kind)
    result, broken = KindResult(kind, by_day, whole), []
    rules = list(enumerate(law.engine.rules(kind)))
    for row in law.engine.judge(kind):
        is_broken = False
        for index, rule in rules:
            verdict = row[f"v{index}"]
            if verdict is False:
                is_broken = True
            elif verdict is None:
                result.undetermined[rule.id] += 1
                _note_missing(law, result, rule, row)
        if is_broken:
            broken.append(row)
    return result, broken


def _note_missing(law: Law, result: KindResult, rule: Rule, row: dict[str, Any]) -> None:
    """Add the labels of what keeps a rule from judging a row: empty columns, or figures that the law does not have there and then."""
    labels = result.missing.setdefault(rule.id, {})
    columns = result.kind.columns
    empty = [columns[name].label for name in (result.kind.date, *law.pack.columns_of(rule)) if row.get(name) is None]
    if empty:
        labels.update(dict.fromkeys(empty))
    elif not labels:
        limits = {limit.parameter.name for limit in law.explainer.limits(rule, str(row[PLACE]), row[result.kind.date], row)}
        unset = [law.pack.parameters[name].label for name in law.pack.parameters_of(rule) if name not in limits]
        labels.update(dict.fromkeys(f"当地当日的{label}" for label in unset))


def _breaches(law: Law, result: KindResult, rows: Iterable[dict[str, Any]]) -> Iterator[Breach]:
    """Explain what is broken, with the owner of each fact; one breach for each rule and fact."""
    kind, seen = result.kind, set[tuple[str, str, int]]()
    rules = list(enumerate(law.engine.rules(kind)))
    days = _Days(law)
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        owners = law.owners(kind, [row["row_id"] for row in batch])
        for row in batch:
            owner = owners.get(row["row_id"])
            if owner is None:
                continue  # The record went away while it was judged.
            place = str(row[PLACE])
            key = Judged(kind, row["row_id"], place, row, ()).key[:300]
            for index, rule in rules:
                if row[f"v{index}"] is not False or (rule.id, key, owner) in seen:
                    continue
                seen.add((rule.id, key, owner))
                finding = law.explainer.finding(rule, is_breach=True, place=place, row=row)
                day_kind = days.kind_of(kind, finding)
                result.breaches += 1
                result.breaches_by_day[day_kind] += 1
                yield Breach(owner, key, row["row_id"], day_kind, Told.of(finding, law.pack))


# ---- days


def is_of_one_day(kind: FactKind) -> bool:
    """Whether a kind's facts are of one day each; a week or a term has ``…_from`` and ``…_until``."""
    return f"{kind.date.removesuffix('_from')}_until" not in kind.columns


class _Days:
    """What kind of day the days of findings are, by the calendar of each place."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self.calendars: dict[str, SchoolCalendar] = {}

    def kind_of(self, kind: FactKind, finding: CoreFinding) -> str:
        """A code of FindingDay; empty for a fact that is not of one day."""
        if finding.date is None or not is_of_one_day(kind):
            return ""
        calendar = self.calendars.setdefault(finding.place, SchoolCalendar(finding.place, self.law.pack))
        day = calendar.day(finding.date)
        if day is not None and day.in_vacation:
            return str(FindingDay.VACATION)
        return str(FindingDay(day.day_kind)) if day is not None and day.day_kind else str(FindingDay.UNKNOWN)


def _count(law: Law, kind: FactKind) -> tuple[dict[str, int], int]:
    """Facts of a kind by kind of day (none for facts that are not of one day), and all together."""
    steps = law.engine.compiler.ctes(kind, needed=[kind.date])
    ctes = "WITH " + ", ".join(f"{name} AS ({select})" for name, select in steps)
    select = f"""
        SELECT CASE WHEN c.in_vacation THEN 'vacation' ELSE COALESCE(c.day_kind, 'unknown') END, count(*)
        FROM {kind.name} AS f
            LEFT JOIN policy_places AS p ON p.place = f.place
            LEFT JOIN policy_calendar AS c ON c.calendar = p.calendar AND c.day = f.{kind.date}
        GROUP BY 1"""  # noqa: S608 - names of a checked pack
    with connection.cursor() as cursor:
        cursor.execute(f"{ctes} {select}")
        counted = dict(cursor.fetchall())
    whole = sum(counted.values())
    return (counted if is_of_one_day(kind) else {}), whole
