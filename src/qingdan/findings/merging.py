"""Brings the findings into line with what an audit found, in a handful of statements whatever their number.

============  =============================  =========================================
finding was   seen again                     not seen by a complete audit
============  =============================  =========================================
not there     open, "found"                  —
pending       text refreshed                 gone, "vanished"
gone          open, "reopened"               stays gone
decided       stays; with other values       stays
              observed: open, "reopened"
============  =============================  =========================================
"""

from __future__ import annotations

import datetime
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from qingdan.accounts.enums import Role
from qingdan.accounts.models import User
from qingdan.findings.enums import RunStatus
from qingdan.findings.models import AuditRun
from qingdan.notices.models import Notice
from qingdan.policy.telling import Told

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Breach:
    """One rule broken by one fact, explained."""

    organisation_id: int
    fact_key: str
    row_id: int
    #: A code of FindingDay, or empty.
    day_kind: str
    told: Told


# Ends with the connection if the worker dies. Numbers may repeat: the audit gives each rule and fact once.
_CREATE = """
CREATE TEMPORARY TABLE audit_breach (
    organisation_id bigint, rule_id text, fact_key text, kind text, row_id bigint, place text, title text, subject text,
    date date, day_kind text, sentence text, remedy text, observed jsonb, limits jsonb, cites jsonb
)"""
_COPY = """
COPY audit_breach (
    organisation_id, rule_id, fact_key, kind, row_id, place, title, subject, date, day_kind, sentence, remedy, observed, limits, cites
) FROM STDIN"""

_SAME = "f.rule_id = b.rule_id AND f.fact_key = b.fact_key AND f.organisation_id = b.organisation_id"
_TEXTS = """kind = b.kind, row_id = b.row_id, place = b.place, title = b.title, subject = b.subject, date = b.date,
    day_kind = b.day_kind, sentence = b.sentence, remedy = b.remedy, observed = b.observed, limits = b.limits, cites = b.cites,
    last_run_id = %(run)s"""
_EVENT = """
INSERT INTO findings_findingevent (finding_id, act, actor_id, at, reason)
SELECT id, '{act}', NULL, %(now)s, '' FROM touched"""

_REOPEN = f"""
WITH touched AS (
    UPDATE findings_finding AS f
    SET status = 'open', times_reopened = f.times_reopened + 1, answered_at = NULL, decided_at = NULL, {_TEXTS}
    FROM audit_breach AS b
    WHERE {_SAME}
        AND (f.status = 'gone' OR (f.status IN ('settled', 'withdrawn') AND f.observed IS DISTINCT FROM b.observed))
    RETURNING f.id, f.organisation_id
), told AS ({_EVENT.format(act="reopen")})
SELECT organisation_id, count(*) FROM touched GROUP BY organisation_id
"""  # noqa: S608 - all of it is ours
_REFRESH = f"""
UPDATE findings_finding AS f SET {_TEXTS}
FROM audit_breach AS b
WHERE {_SAME} AND f.status IN ('open', 'corrected', 'disputed') AND f.last_run_id <> %(run)s
"""  # noqa: S608 - all of it is ours
_STAY = f"""
UPDATE findings_finding AS f SET last_run_id = %(run)s
FROM audit_breach AS b
WHERE {_SAME} AND f.status IN ('settled', 'withdrawn')
"""  # noqa: S608 - all of it is ours
_OPEN = f"""
WITH touched AS (
    INSERT INTO findings_finding AS f (
        organisation_id, rule_id, fact_key, kind, row_id, place, title, subject, date, day_kind, sentence, remedy, observed, limits,
        cites, status, found_at, last_run_id, times_reopened
    )
    SELECT b.organisation_id, b.rule_id, b.fact_key, b.kind, b.row_id, b.place, b.title, b.subject, b.date, b.day_kind, b.sentence,
        b.remedy, b.observed, b.limits, b.cites, 'open', %(now)s, %(run)s, 0
    FROM audit_breach AS b
    ORDER BY b.date, b.organisation_id
    ON CONFLICT (rule_id, fact_key, organisation_id) DO NOTHING
    RETURNING f.id, f.organisation_id
), told AS ({_EVENT.format(act="found")})
SELECT organisation_id, count(*) FROM touched GROUP BY organisation_id
"""  # noqa: S608 - all of it is ours
_VANISH = f"""
WITH touched AS (
    UPDATE findings_finding AS f SET status = 'gone'
    WHERE f.status IN ('open', 'corrected', 'disputed') AND f.last_run_id <> %(run)s
    RETURNING f.id, f.organisation_id
), told AS ({_EVENT.format(act="vanish")})
SELECT organisation_id, count(*) FROM touched GROUP BY organisation_id
"""  # noqa: S608 - all of it is ours


#: In this order: what has been reopened is pending and up to date, and what is not up to date at the end was not seen.
_STEPS = {"reopened": _REOPEN, "refreshed": _REFRESH, "stayed": _STAY, "opened": _OPEN, "gone": _VANISH}


@contextmanager
def collecting() -> Iterator[None]:
    """The temporary table stands while this goes on."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.audit_breach")
        cursor.execute(_CREATE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pg_temp.audit_breach")


def collect(breaches: Iterable[Breach]) -> None:
    """Put breaches into the temporary table."""
    with connection.connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for each in breaches:
            told = each.told
            lists = (json.dumps(words, ensure_ascii=False) for words in (told.observed, told.limits, told.cites))
            whose = (each.organisation_id, told.rule_id, each.fact_key, told.kind, each.row_id, told.place)
            copy.write_row([*whose, told.title, told.subject, told.date, each.day_kind, told.sentence, told.remedy, *lists])


def merge(run: AuditRun, summary: list[dict[str, Any]]) -> bool:
    """Bring the findings into line and end the run, all at once; False, and nothing done, when a later attempt has begun."""
    with transaction.atomic():
        current = AuditRun.objects.select_for_update().filter(pk=run.pk, attempt=run.attempt, status=RunStatus.RUNNING).first()
        if current is None:
            log.warning("audit.overtaken run=%s attempt=%s", run.pk, run.attempt)
            return False
        given: dict[str, int | datetime.datetime] = {"run": run.pk, "now": timezone.now()}
        with connection.cursor() as cursor:
            # Whoever answers or decides waits for this second, instead of each holding rows that the other wants.
            cursor.execute("LOCK TABLE findings_finding IN EXCLUSIVE MODE")
            cursor.execute("ANALYZE pg_temp.audit_breach")
            counts = {}
            for name, statement in _STEPS.items():
                cursor.execute(statement, given)
                counts[name] = Counter(dict(cursor.fetchall())) if cursor.description else Counter()
        current.opened, current.reopened, current.vanished = (counts[name].total() for name in ("opened", "reopened", "gone"))
        current.status, current.summary, current.ended_at = RunStatus.DONE, summary, timezone.now()
        current.progress_what, current.progress_done, current.problem = "", current.progress_whole, ""
        current.save()
        _tell_owners(current, counts["opened"] + counts["reopened"])
    log.info("audit.done run=%s opened=%s reopened=%s vanished=%s", run.pk, current.opened, current.reopened, current.vanished)
    return True


def _tell_owners(run: AuditRun, found: Counter[int]) -> None:
    """Tell those who have to answer how much there is, once for the whole audit."""
    answering = User.objects.filter(organisation_id__in=found, role__in=[Role.SCHOOL_LEADER, Role.INSTITUTION], is_active=True)
    url = f"{reverse('findings:list')}?status=open"
    notices: Sequence[Notice] = [
        Notice(
            user=user,
            occasion=f"audit:{run.pk}",
            text=f"体检发现 {found[user.organisation_id]} 个问题需要答复。改好的请答复“已整改”，认为有误的可以提出异议。",
            url=url,
        )
        for user in answering
        if user.organisation_id
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
