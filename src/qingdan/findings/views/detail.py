"""One finding: everything about it, the answer and the decision."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.findings.actions import accept, confirm, correct, dispute, send_back, uphold
from qingdan.findings.enums import ANSWERS, DECISIONS, FindingAct, FindingStatus
from qingdan.findings.forms import ActForm, acts_for
from qingdan.findings.models import Finding
from qingdan.findings.views.listing import MEMBERS, READERS
from qingdan.judging.facts import page_of

_VERBS = {
    FindingAct.CORRECT: correct,
    FindingAct.DISPUTE: dispute,
    FindingAct.CONFIRM: confirm,
    FindingAct.SEND_BACK: send_back,
    FindingAct.ACCEPT: accept,
    FindingAct.UPHOLD: uphold,
}


def _visible(request: HttpRequest, pk: int) -> Finding:
    return get_object_or_404(Finding.objects.visible_to(user_of(request)).select_related("organisation", "last_run"), pk=pk)


def _page(request: HttpRequest, finding: Finding, form: ActForm | None = None) -> HttpResponse:
    user = user_of(request)
    acts = acts_for(is_bureau=user.is_bureau, status=finding.status) if user.role in MEMBERS else []
    if form is None:
        form = ActForm(acts=acts)
    else:
        form.offer(acts)
    context = {
        "finding": finding,
        "events": list(finding.events.select_related("actor__organisation")),
        "record": page_of(finding.root_kind, finding.row_id),
        "is_sum": finding.root_kind != finding.kind,
        "form": form if acts else None,
        "has_answered": finding.status in (FindingStatus.CORRECTED, FindingStatus.DISPUTED),
    }
    return render(request, "findings/finding.html", context, status=400 if form.errors else 200)


@for_roles(*READERS)
@require_safe
@never_cache
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found, why, against which limit and clause, and what has happened since."""
    return _page(request, _visible(request, pk))


def _act(request: HttpRequest, pk: int, acts: Sequence[FindingAct]) -> HttpResponse:
    found = _visible(request, pk)
    form = ActForm(request.POST, acts=acts)
    if form.is_valid():
        try:
            changed = _VERBS[FindingAct(form.cleaned_data["act"])](found, by=user_of(request), reason=form.cleaned_data["reason"])
        except ValidationError as error:
            found.refresh_from_db()
            if not acts_for(is_bureau=acts is DECISIONS, status=found.status):
                # Somebody was faster, and there is nothing left to do here.
                messages.error(request, "；".join(error.messages))
                return redirect("findings:finding", pk)
            form.add_error(None, error)
        else:
            messages.success(request, f"已办理，现在是“{changed.get_status_display()}”，对方会收到通知。")
            return redirect("findings:finding", pk)
    return _page(request, found, form)


@for_roles(Role.SCHOOL_LEADER, Role.INSTITUTION)
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The school or institution says that it has put things right, or disputes."""
    return _act(request, pk, ANSWERS)


@for_roles(Role.BUREAU)
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The bureau closes, sends back or withdraws."""
    return _act(request, pk, DECISIONS)
