"""Pages of one's own organisation's uploads. Every view fetches within the caller's rights first; a stranger gets 404."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import STAFF
from qingdan.policy.packs import default_pack
from qingdan.storage.downloads import saved
from qingdan.uploads.actions import retry_upload, submit_upload
from qingdan.uploads.enums import PENDING, UploadStatus
from qingdan.uploads.forms import FindingFilter, UploadForm
from qingdan.uploads.models import Upload, UploadedFile, UploadReport

log = logging.getLogger(__name__)
_UPLOADS_PER_PAGE = 20
_FINDINGS_PER_PAGE = 50
_UNREAD_PER_PAGE = 100


def _own(request: HttpRequest, pk: int) -> Upload:
    uploads = Upload.objects.visible_to(user_of(request)).select_related("uploaded_by")
    return get_object_or_404(uploads, pk=pk)


def layer_name(code: str) -> str:
    """A layer's name; its code when the pack no longer has it."""
    layer = default_pack().layers.get(code)
    return layer.name if layer else code


@for_roles(*STAFF)
@require_safe
def upload_list(request: HttpRequest) -> HttpResponse:
    """The organisation's earlier uploads, newest first."""
    user = user_of(request)
    text = request.GET.get("q", "").strip()[:100]
    visible = Upload.objects.visible_to(user)
    uploads = visible.kept().matching(text).select_related("uploaded_by").prefetch_related("files")
    page = Paginator(uploads, _UPLOADS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "q": text,
        "names": {upload.layer_code: layer_name(upload.layer_code) for upload in page},
        "deleted": visible.exclude(deleted_at=None).order_by("-deleted_at").prefetch_related("files")[:20],
    }
    template = "uploads/includes/list.html" if is_fragment(request) else "uploads/list.html"
    return render(request, template, context)


@for_roles(*STAFF)
def upload_new(request: HttpRequest) -> HttpResponse:
    """Take workbooks and queue them."""
    user = user_of(request)
    form = UploadForm(request.POST or None, request.FILES or None, organisation=user.employer)
    if request.method == "POST" and form.is_valid():
        try:
            upload = submit_upload(user=user, files=form.cleaned_data["workbooks"], layer_code=form.cleaned_data["layer"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("uploads:findings", upload.pk)
    kinds = [kind.label for kind in default_pack().vocabulary.recorded_kinds]
    return render(request, "uploads/new.html", {"form": form, "kinds": kinds}, status=400 if form.errors else 200)


def _context(upload: Upload, tab: str) -> dict[str, Any]:
    return {
        "upload": upload,
        "layer_name": layer_name(upload.layer_code),
        "tab": tab,
        "files": list(upload.files.all()),
        "unread_count": upload.unread_items.count() if not upload.is_pending else 0,
        "unjudged_count": upload.unjudged_rules.count() if not upload.is_pending else 0,
        "percent": round(100 * upload.progress_done / upload.progress_whole) if upload.progress_whole else 0,
    }


@require_safe
@never_cache
def findings(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found, by rule; while it waits, how far it is; when it failed, why."""
    upload = _own(request, pk)
    context = _context(upload, "findings")
    if upload.status != UploadStatus.DONE or upload.is_deleted:
        return render(request, "uploads/pending.html" if upload.is_pending else "uploads/findings.html", context)
    rules = upload.findings.by_rule()
    tables = sorted(set(upload.findings.order_by().values_list("file", "sheet")))
    form = FindingFilter(request.GET, rules=rules, tables=tables)
    chosen = form.chosen()
    found = upload.findings.matching(**chosen)
    page = Paginator(found, _FINDINGS_PER_PAGE).get_page(request.GET.get("page"))
    is_filtered = any(chosen.values())
    counts = {each["rule_id"]: each for each in (found.by_rule() if is_filtered else rules)}
    context |= {"form": form, "page": page, "rules": rules, "counts": counts, "is_filtered": is_filtered, "chosen": chosen}
    template = "uploads/includes/findings.html" if is_fragment(request) else "uploads/findings.html"
    return render(request, template, context)


@require_safe
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar of a waiting upload; sends the page to the findings as soon as there are any."""
    upload = _own(request, pk)
    if not upload.is_pending:
        return HttpResponseClientRedirect(reverse("uploads:findings", args=[pk]))
    context = _context(upload, "findings")
    if upload.status == UploadStatus.WAITING:
        context["ahead"] = Upload.objects.kept().filter(status__in=PENDING, pk__lt=upload.pk).count()
    return render(request, "uploads/includes/progress.html", context)


@require_safe
def unread(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that could not be read, and what was passed over as no record."""
    upload = _own(request, pk)
    page = Paginator(upload.unread_items.all(), _UNREAD_PER_PAGE).get_page(request.GET.get("page"))
    context = _context(upload, "unread") | {"page": page, "skipped": upload.skipped_regions.all()[:500]}
    return render(request, "uploads/unread.html", context)


@require_safe
def unjudged(request: HttpRequest, pk: int) -> HttpResponse:
    """Rules that the tables could not answer, with the columns that would let them."""
    upload = _own(request, pk)
    return render(request, "uploads/unjudged.html", _context(upload, "unjudged") | {"unjudged": upload.unjudged_rules.all()})


@require_safe
def files(request: HttpRequest, pk: int) -> HttpResponse:
    """The workbooks as they were handed in."""
    return render(request, "uploads/files.html", _context(_own(request, pk), "files"))


@require_safe
def file_download(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """One workbook, byte for byte; never shown in the browser, whatever it contains."""
    upload = _own(request, pk)
    file = get_object_or_404(UploadedFile.objects.filter(upload=upload), pk=file_pk)
    log.info("upload.file_downloaded upload=%s file=%s user=%s", pk, file_pk, request.user.pk)
    return saved(file.content, file.name, "application/octet-stream")


@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The findings as a workbook."""
    upload = _own(request, pk)
    kept = get_object_or_404(UploadReport, upload=upload, upload__status=UploadStatus.DONE)
    log.info("upload.report_downloaded upload=%s user=%s", pk, request.user.pk)
    name = f"体检结果_{timezone.localtime(upload.judged_at):%Y%m%d_%H%M}.xlsx"
    return saved(kept.content, name)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge again: after a failure, or because the policy pack has changed."""
    upload = _own(request, pk)
    if upload.is_deleted:
        messages.error(request, "已删除的上传请先恢复，再重新体检。")
    elif upload.is_pending:
        messages.info(request, "正在体检，请稍候。")
    else:
        try:
            retry_upload(upload, user=user_of(request))
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
    return redirect("uploads:findings", pk)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete, with some days to take it back."""
    upload = _own(request, pk)
    if not upload.is_deleted:
        upload.delete_softly()
        log.info("upload.deleted upload=%s user=%s", pk, request.user.pk)
    messages.success(request, "已删除。7 天内可以在列表下方的“最近删除”里恢复。", extra_tags=f"undo-{pk}")
    return redirect("uploads:list")


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a deletion."""
    upload = _own(request, pk)
    if upload.is_deleted:
        try:
            upload.restore()
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
            return redirect("uploads:list")
        log.info("upload.restored upload=%s user=%s", pk, request.user.pk)
        messages.success(request, "已恢复。")
    return redirect("uploads:findings", pk)
