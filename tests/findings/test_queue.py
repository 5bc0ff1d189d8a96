"""The real queue: an audit is done by the worker, taken up after a kill, and two never run at once."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.findings import auditing, tasks
from qingdan.findings.auditing import requeue_lost_runs, run_audit, start_audit
from qingdan.findings.enums import RunStatus
from qingdan.findings.models import AuditRun, Finding
from tests.district import District, make_district
from tests.findings.conftest import record


@pytest.mark.django_db(transaction=True)
def test_the_worker_takes_an_audit_from_the_queue() -> None:
    record(make_district().first)
    run = start_audit()
    # One at a time: an audit that an earlier test left in the queue goes before, and holds the lock meanwhile.
    call_command("procrastinate", "worker", "--one-shot", "--concurrency", "1", "--queues", "audits")
    run.refresh_from_db()
    assert (run.status, run.opened) == (RunStatus.DONE, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_audits_the_second_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    record(make_district().first)
    real, going_on, most = auditing.run_audit_of_database, list[int](), list[int]()

    def watched(run: AuditRun, progress: Any) -> bool:
        going_on.append(run.pk)
        most.append(len(going_on))
        time.sleep(0.3)
        try:
            return real(run, progress)
        finally:
            going_on.remove(run.pk)

    monkeypatch.setattr(auditing, "run_audit_of_database", watched)
    first = start_audit()
    AuditRun.objects.filter(pk=first.pk).update(status=RunStatus.RUNNING)  # so that a second may be queued
    second = start_audit()

    def do(pk: int) -> None:
        try:
            run_audit(pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=[run.pk]) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1, 1]
    assert set(AuditRun.objects.values_list("status", flat=True)) == {RunStatus.DONE}
    assert Finding.objects.count() == 1
    assert Finding.objects.get().events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_lock_of_a_worker_that_died_is_free() -> None:
    record(make_district().first)
    run = start_audit()

    def die() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [auditing._AUDITING])
        AuditRun.objects.get(pk=run.pk).take_up()
        connection.connection.close()  # as a killed process leaves it
        connections.close_all()

    thread = threading.Thread(target=die)
    thread.start()
    thread.join(30)
    run_audit(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.DONE, 2)


def test_an_audit_whose_job_is_gone_is_queued_again(district: District) -> None:
    run = start_audit()
    assert requeue_lost_runs() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = %s", [tasks.audit.name])
    assert requeue_lost_runs() == [run.pk]
    assert requeue_lost_runs() == []
    assert ProcrastinateJob.objects.filter(status="todo", args__run_id=run.pk).count() == 1


def test_the_night_begins_at_half_past_two_in_shanghai() -> None:
    """The cron line is in UTC: the queue reads it so whatever the server's time zone."""
    import datetime
    import zoneinfo

    (periodic,) = [each for (name, _), each in app.periodic_registry.periodic_tasks.items() if name == tasks.audit_at_night.name]
    shanghai = zoneinfo.ZoneInfo("Asia/Shanghai")
    evening = datetime.datetime(2026, 11, 16, 20, 0, tzinfo=shanghai)
    following = periodic.croniter.get_next(ret_type=float, start_time=evening.timestamp())
    assert datetime.datetime.fromtimestamp(following, shanghai) == datetime.datetime(2026, 11, 17, 2, 30, tzinfo=shanghai)
