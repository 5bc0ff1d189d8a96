"""Audits of everything recorded: what each said, and starting one now."""

from __future__ import annotations

import datetime

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

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.findings.auditing import start_audit
from qingdan.findings.enums import RunStatus
from qingdan.findings.models import AuditRun

_PER_PAGE = 20
#: A queue that nobody works at is told.
_WAITING_TOO_LONG = datetime.timedelta(minutes=1)


def _visible(request: HttpRequest, pk: int) -> AuditRun:
    return get_object_or_404(AuditRun.objects.visible_to(user_of(request)).select_related("started_by"), pk=pk)


def _is_stuck(run: AuditRun) -> bool:
    return run.status == RunStatus.WAITING and timezone.now() - run.queued_at > _WAITING_TOO_LONG


@for_roles(Role.BUREAU)
@require_safe
@never_cache
def runs(request: HttpRequest) -> HttpResponse:
    """All audits, newest first."""
    visible = AuditRun.objects.visible_to(user_of(request))
    page = Paginator(visible.defer("summary").select_related("started_by"), _PER_PAGE).get_page(request.GET.get("page"))
    under_way = visible.under_way().first()
    return render(
        request, "findings/runs.html", {"page": page, "run": under_way, "is_stuck": under_way is not None and _is_stuck(under_way)}
    )


@for_roles(Role.BUREAU)
@require_safe
@never_cache
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """What one audit counted; while it goes on, how far it is."""
    found = _visible(request, pk)
    context = {
        "run": found,
        "is_stuck": _is_stuck(found),
        "facts": sum(each["facts"] for each in found.summary),
        "breaches": sum(each["breaches"] for each in found.summary),
        "absent": [each["label"] for each in found.summary if not each["facts"]],
        "undetermined": [each | {"label": kind["label"]} for kind in found.summary for each in kind["undetermined"]],
    }
    return render(request, "findings/run.html", context)


@for_roles(Role.BUREAU)
@require_safe
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar of an audit under way; sends the page to the result as soon as there is one."""
    found = _visible(request, pk)
    if not found.is_under_way:
        return HttpResponseClientRedirect(reverse("findings:run", args=[pk]))
    return render(request, "findings/includes/progress.html", {"run": found, "is_stuck": _is_stuck(found)})


@for_roles(Role.BUREAU)
@require_POST
def run_now(request: HttpRequest) -> HttpResponse:
    """Start an audit of everything recorded."""
    user = user_of(request)
    under_way = AuditRun.objects.visible_to(user).under_way().first()
    if under_way is not None:
        messages.info(request, "已有一次体检在进行，请等它完成。")
        return redirect("findings:run", under_way.pk)
    try:
        started = start_audit(by=user)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("findings:runs")
    return redirect("findings:run", started.pk)
