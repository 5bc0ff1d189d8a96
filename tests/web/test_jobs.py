"""The background work: done by the real queue, interrupted at will, and never done twice."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.uploads import actions
from qingdan.uploads.actions import judge_upload, purge_deleted, requeue_lost
from qingdan.uploads.enums import UploadStatus
from qingdan.uploads.models import ATTEMPTS_MAX, Upload
from qingdan.uploads.results import keep_results
from tests.web.conftest import Cast, Submit


@pytest.mark.django_db(transaction=True)
def test_the_worker_takes_an_upload_from_the_queue(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, judge=False)
    call_command("procrastinate", "worker", "--one-shot", "--queues", "uploads")
    upload.refresh_from_db()
    assert upload.status == UploadStatus.DONE
    assert upload.findings.filter(verdict="breach").exists()


def test_an_upload_that_was_interrupted_is_judged_anew(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, judge=False)
    assert upload.take_up()
    upload.tell_progress("读取", 1, 2)
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.attempt) == (UploadStatus.DONE, 2)


def test_an_attempt_that_was_overtaken_writes_nothing(cast: Cast, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker given up for dead comes back and wants to write: a later attempt has the word."""
    upload = submit(cast.school, judge=False)
    kept: list[bool] = []

    def overtaken(mine: Upload, *args: Any, **kwargs: Any) -> bool:
        assert Upload.objects.get(pk=upload.pk).take_up()
        kept.append(keep_results(mine, *args, **kwargs))
        return kept[-1]

    monkeypatch.setattr(actions, "keep_results", overtaken)
    judge_upload(upload.pk)
    assert kept == [False]
    assert not upload.findings.exists()
    stale = Upload.objects.get(pk=upload.pk)
    stale.attempt -= 1
    stale.fail(["太晚了"])
    stale.tell_progress("太晚了", 1, 1)
    stale.refresh_from_db()
    assert (stale.status, stale.progress_what) == (UploadStatus.RUNNING, "准备")


def test_what_is_at_an_end_or_deleted_is_left_alone(cast: Cast, submit: Submit) -> None:
    done = submit(cast.school)
    judged_at = done.judged_at
    judge_upload(done.pk)
    done.refresh_from_db()
    assert done.judged_at == judged_at
    deleted = submit(cast.other_school, judge=False)
    deleted.delete_softly()
    judge_upload(deleted.pk)
    deleted.refresh_from_db()
    assert deleted.status == UploadStatus.WAITING
    judge_upload(10**9)


def test_an_accident_ends_in_a_message_not_in_an_endless_bar(cast: Cast, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(actions, "run_audit", broken)
    upload = submit(cast.school)
    assert upload.status == UploadStatus.FAILED
    assert "出了意外" in upload.problems[0]
    assert "boom" not in upload.problems[0]


def test_a_layer_that_left_the_pack_is_told(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, judge=False)
    Upload.objects.filter(pk=upload.pk).update(layer_code="gone")
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert "已没有“gone”这一层" in upload.problems[0]


def test_an_upload_whose_job_is_gone_is_queued_again(cast: Cast, submit: Submit) -> None:
    lost, waiting = submit(cast.school, judge=False), submit(cast.other_school, judge=False)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE args->>'upload_id' = %s", [str(lost.pk)])
    assert requeue_lost() == [lost.pk]
    assert requeue_lost() == []
    assert ProcrastinateJob.objects.filter(status="todo", args__upload_id=waiting.pk).count() == 1


def test_judging_that_is_interrupted_each_time_is_given_up(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school, judge=False)
    for _ in range(ATTEMPTS_MAX):
        assert upload.take_up()
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.FAILED
    actions.retry_upload(upload, user=cast.school)
    judge_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.DONE


def test_what_was_deleted_is_purged_after_the_time_to_undo(cast: Cast, submit: Submit) -> None:
    old, young = submit(cast.school), submit(cast.other_school)
    for upload, days in ((old, 8), (young, 6)):
        upload.deleted_at = timezone.now() - datetime.timedelta(days=days)
        upload.save()
    assert purge_deleted() == [old.pk]
    assert list(Upload.objects.all()) == [young]


def test_nothing_of_an_upload_stays_on_the_disk(cast: Cast, submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    submit(cast.school)
    assert list(tmp_path.iterdir()) == []
