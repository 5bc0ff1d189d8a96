"""What touches an upload, its files, its findings and the queue together."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile as IncomingFile
from django.db.models import F
from procrastinate.contrib.django.models import ProcrastinateJob

from qingdan.accounts.models import User
from qingdan.audit import InputError, run_audit, write_xlsx
from qingdan.policy.packs import default_pack
from qingdan.storage.files import distinct
from qingdan.storage.progress import Teller
from qingdan.storage.refusals import in_words
from qingdan.uploads.enums import PENDING, UploadStatus
from qingdan.uploads.models import ATTEMPTS_MAX, Upload, UploadedFile
from qingdan.uploads.results import keep_results

log = logging.getLogger(__name__)


def submit_upload(*, user: User, files: Sequence[IncomingFile[Any]], layer_code: str) -> Upload:
    """Keep workbooks and queue them to be judged; raise ValidationError when the very same ones wait already."""
    from qingdan.uploads.tasks import judge

    contents = [file.read() for file in files]
    fingerprint = hashlib.sha256()
    for digest in sorted(hashlib.sha256(content).digest() for content in contents):
        fingerprint.update(digest)
    upload = Upload(organisation=user.employer, uploaded_by=user, layer_code=layer_code, sha256=fingerprint.hexdigest())
    upload.full_clean()
    with in_words(Upload):
        upload.save()
        names: list[str] = []
        for file, content in zip(files, contents, strict=True):
            names.append(distinct(file.name or "", names))
            UploadedFile.objects.create(upload=upload, name=names[-1], size_bytes=len(content), content=content)
        judge.configure(lock=f"upload-{upload.pk}").defer(upload_id=upload.pk)
    log.info("upload.submitted upload=%s user=%s files=%s layer=%s", upload.pk, user.pk, len(files), layer_code)
    return upload


def retry_upload(upload: Upload, *, user: User) -> None:
    """Judge an upload again; raise ValidationError while it, or another of the same workbooks, still waits."""
    from qingdan.uploads.tasks import judge

    upload.status = UploadStatus.WAITING
    upload.validate_constraints()
    with in_words(Upload):
        changed = (
            Upload.objects.kept()
            .filter(pk=upload.pk, status__in=[UploadStatus.DONE, UploadStatus.FAILED])
            .update(
                status=UploadStatus.WAITING,
                attempts_allowed=F("attempt") + ATTEMPTS_MAX,
                progress_what="",
                progress_done=0,
                progress_whole=0,
            )
        )
        if changed:
            judge.configure(lock=f"upload-{upload.pk}").defer(upload_id=upload.pk)
    log.info("upload.retried upload=%s user=%s", upload.pk, user.pk)


def requeue_lost() -> list[int]:
    """Queue again every upload that waits although no job is left for it (a job that failed outright); return their numbers.

    Upload and job are written in one transaction, so a waiting upload without a job is never one about to get it.
    """
    from qingdan.uploads.tasks import judge

    with_job = ProcrastinateJob.objects.filter(task_name=judge.name, status__in=["todo", "doing"]).values_list("args__upload_id", flat=True)
    lost = list(Upload.objects.kept().filter(status__in=PENDING).exclude(pk__in=list(with_job)).values_list("pk", flat=True))
    for pk in lost:
        log.warning("upload.queued_again upload=%s", pk)
        judge.configure(lock=f"upload-{pk}").defer(upload_id=pk)
    return lost


def purge_deleted() -> list[int]:
    """Remove for good what was deleted longer ago than it can be taken back; return the numbers."""
    gone = list(Upload.objects.past_undo().values_list("pk", flat=True))
    Upload.objects.filter(pk__in=gone).delete()
    if gone:
        log.info("upload.purged uploads=%s", gone)
    return gone


def judge_upload(upload_id: int) -> None:
    """Judge an upload's workbooks and keep what was found. Safe to run again after an interruption at any point."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None or not upload.take_up():
        return
    if upload.attempt > upload.attempts_allowed:
        # Whatever ends the worker each time (no memory left, say) must not do so for ever.
        upload.fail(["体检几次都中途停下，可能是表格太大；请分成几个文件重新上传，或联系管理员"])
        return
    pack = default_pack()
    if upload.layer_code not in pack.layers:
        upload.fail([f"政策包里已没有“{upload.layer_code}”这一层；请重新上传并选择现有的层"])
        return
    with tempfile.TemporaryDirectory(prefix="qingdan-") as folder:
        paths = list(_unpack(upload, Path(folder)))
        try:
            teller = Teller(lambda what, done, whole: upload.tell_progress(what.replace(f"{folder}/", "读取 "), done, whole))
            audit = run_audit(paths, pack=pack, layer=upload.layer_code, progress=teller)
        except InputError as error:
            upload.fail([problem.replace(f"{folder}/", "") for problem in error.problems])
            log.info("upload.failed upload=%s", upload.pk)
            return
        except Exception:
            # The clerk gets a page, not an endless bar; the operator gets the traceback.
            log.exception("upload.broke upload=%s", upload.pk)
            upload.fail(["体检程序出了意外，已记入日志。请再试一次；若仍不行，把这个页面的网址告诉管理员"])
            return
        report = Path(folder) / "report.xlsx.part"
        upload.tell_progress("整理结果", 0, 0)
        write_xlsx(audit, report)
        keep_results(upload, audit, report.read_bytes(), folder=folder)


def _unpack(upload: Upload, folder: Path) -> Iterator[Path]:
    for file in upload.files.only("name", "content"):
        path = folder / file.name
        path.write_bytes(file.content)
        yield path
