"""What must never happen is refused by the database itself, with a message that a clerk understands."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from qingdan.accounts.models import Organisation
from qingdan.uploads.actions import retry_upload
from qingdan.uploads.enums import UploadStatus
from qingdan.uploads.models import Finding, Upload, UploadedFile
from tests.web.conftest import Cast, Submit


def refused(instance: models.Model, constraint: str) -> str:
    """The message of the constraint that the database names when it refuses a row; the validation says the same."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        instance.save(force_insert=instance.pk is None)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[attr-defined]
    with pytest.raises(ValidationError) as told:
        instance.validate_constraints()
    return "；".join(told.value.messages)


def finding(upload: Upload, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "upload": upload,
        "position": 99,
        "rule_id": "r",
        "title": "t",
        "verdict": "breach",
        "place": "cn",
        "sentence": "说明",
        "cites": [{"clause": "c", "text": "t"}],
    }
    return Finding(**values | changes)


CASES: list[tuple[str, Callable[[Upload], models.Model], str]] = [
    ("organisation_kind_is_known", lambda upload: Organisation(name="x", kind="club", layer_code="cn"), "单位性质只能是"),
    ("organisation_has_a_name_and_a_layer", lambda upload: Organisation(name="x", kind="school", layer_code=""), "适用政策的层"),
    ("finding_verdict_is_known", lambda upload: finding(upload, verdict="compliant"), "结论只能是违规或待定"),
    ("finding_has_reason_and_clause", lambda upload: finding(upload, cites=[]), "没有依据条款的判定不能成立"),
    ("finding_has_reason_and_clause", lambda upload: finding(upload, sentence=""), "没有说明"),
    ("finding_position_once", lambda upload: finding(upload, position=1), "序号不能重复"),
    ("file_name_once_per_upload", lambda upload: UploadedFile(upload=upload, name="表1.xlsx", size_bytes=1, content=b"x"), "同名文件"),
    ("file_has_a_plain_name", lambda upload: UploadedFile(upload=upload, name="../x.xlsx", size_bytes=1, content=b"x"), "斜杠"),
    ("file_is_not_empty", lambda upload: UploadedFile(upload=upload, name="y.xlsx", size_bytes=0, content=b""), "空的"),
]


@pytest.mark.parametrize(("constraint", "make", "message"), CASES)
def test_a_row_that_must_not_be_is_refused(
    constraint: str, make: Callable[[Upload], models.Model], message: str, cast: Cast, submit: Submit
) -> None:
    upload = submit(cast.school)
    assert message in refused(make(upload), constraint)


@pytest.mark.parametrize(
    ("constraint", "changes", "message"),
    [
        ("upload_status_is_known", {"status": "lost"}, "状态只能是"),
        ("upload_progress_within_whole", {"progress_done": 2, "progress_whole": 1}, "进度不能超过总量"),
        ("upload_judged_when_done", {"status": UploadStatus.DONE, "judged_at": None}, "要有完成时间"),
        ("upload_failure_has_a_reason", {"status": UploadStatus.FAILED, "problems": []}, "写明原因"),
    ],
)
def test_an_upload_in_an_impossible_state_is_refused(
    constraint: str, changes: dict[str, Any], message: str, cast: Cast, submit: Submit
) -> None:
    upload = submit(cast.school)
    for name, value in changes.items():
        setattr(upload, name, value)
    assert message in refused(upload, constraint)


def test_every_constraint_has_a_case() -> None:
    named = {case[0] for case in CASES} | {"upload_pending_once"}
    named |= {"upload_status_is_known", "upload_progress_within_whole", "upload_judged_when_done", "upload_failure_has_a_reason"}
    declared = {constraint.name for model in (Upload, UploadedFile, Finding) for constraint in model._meta.constraints}
    assert declared <= named


def test_the_same_workbooks_wait_once_per_layer(cast: Cast, submit: Submit) -> None:
    submit(cast.school, judge=False)
    with pytest.raises(ValidationError, match="不必重复上传"):
        submit(cast.school, judge=False)
    submit(cast.school, layer="cn-shanghai", judge=False)
    submit(cast.other_school, judge=False)
    assert Upload.objects.count() == 3


def test_a_race_for_the_same_workbooks_ends_in_the_same_message(cast: Cast, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation saw nothing, then another request was quicker: the database refuses, and the clerk reads the same words."""
    submit(cast.school, judge=False)
    monkeypatch.setattr(Upload, "full_clean", lambda self: None)
    with pytest.raises(ValidationError, match="不必重复上传"):
        submit(cast.school, judge=False)


def test_judging_again_waits_for_a_twin_that_is_waiting(cast: Cast, submit: Submit) -> None:
    first = submit(cast.school)
    submit(cast.school, judge=False)
    with pytest.raises(ValidationError, match="不必重复上传"):
        retry_upload(first, user=cast.school)


def test_restoring_refuses_when_a_twin_is_waiting(cast: Cast, submit: Submit) -> None:
    first = submit(cast.school, judge=False)
    first.delete_softly()
    submit(cast.school, judge=False)
    with pytest.raises(ValidationError, match="不必重复上传"):
        first.restore()


def test_organisations_with_records_cannot_be_deleted(cast: Cast, submit: Submit) -> None:
    submit(cast.school)
    with pytest.raises(models.ProtectedError):
        cast.school.employer.delete()
    with pytest.raises(models.ProtectedError):
        cast.school.delete()


def test_what_was_deleted_long_ago_is_out_of_sight(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    upload.deleted_at = timezone.now() - datetime.timedelta(days=7, seconds=1)
    upload.save()
    assert not Upload.objects.visible_to(cast.school).exists()
    assert list(Upload.objects.past_undo()) == [upload]
