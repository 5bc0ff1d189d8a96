"""The queue's jobs. They only call verbs; the queue lives in PostgreSQL, so a restart loses none of them.

procrastinate reads cron lines in UTC, wherever the server stands and whatever Django's time zone is (it hands croniter a bare
timestamp). China has kept UTC+8 without summer time since 1991: 02:30 in Shanghai is 18:30 UTC of the day before.
A job whose worker died is put back in the queue by ``uploads.take_up_stalled``, which looks at all queues.
"""

from __future__ import annotations

from procrastinate.contrib.django import app

from qingdan.findings.auditing import requeue_lost_runs, run_audit, start_nightly_audit
from qingdan.storage.connections import own_connection


@app.task(name="findings.audit", queue="audits", lock="audit")
def audit(run_id: int) -> None:
    """Do one audit; the lock keeps a second job waiting in the queue instead of in a worker."""
    with own_connection():
        run_audit(run_id)


# 02:30 in Shanghai, and three more times in case no worker was there: a night that has its audit gets no second one.
@app.periodic(cron="30 18-21 * * *")
@app.task(name="findings.audit_at_night", queue="upkeep")
def audit_at_night(timestamp: int) -> None:
    """Queue the night's audit."""
    with own_connection():
        start_nightly_audit()


@app.periodic(cron="* * * * * 45")
@app.task(name="findings.take_up_lost", queue="upkeep")
def take_up_lost(timestamp: int) -> None:
    """Queue again every audit that waits although no job is left for it."""
    with own_connection():
        requeue_lost_runs()
