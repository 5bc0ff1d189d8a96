"""Families' complaints about institutions, and the officers' answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import errors_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.accounts.models import Organisation
from qingdan.escrow.actions import riskfile as acts
from qingdan.escrow.enums import SIGNED_STATES
from qingdan.escrow.forms.risk import AnswerComplaintForm, ComplaintForm
from qingdan.escrow.models import Complaint, Contract

_PER_PAGE = 20


@for_roles(Role.PARENT)
@require_http_methods(["GET", "HEAD", "POST"])
def complain(request: HttpRequest, pk: int) -> HttpResponse:
    """A family says what is wrong with an institution that it has a contract with."""
    contracts = Contract.objects.visible_to(user_of(request)).filter(state__in=SIGNED_STATES).select_related("institution")
    contract, form = get_object_or_404(contracts, pk=pk), ComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            acts.complain(contract, text=form.cleaned_data["text"], by=user_of(request))
        except ValidationError as error:
            form.add_error("text", error.messages[0])
        else:
            messages.success(request, "已交给主管部门，答复后会通知您。机构看不到这件投诉。")
            return redirect("escrow:complaints")
    return render(request, "escrow/risk/complain.html", {"contract": contract, "form": form}, status=422 if form.errors else 200)


@for_roles(Role.PARENT, *OFFICERS)
@require_safe
@never_cache
def complaints(request: HttpRequest) -> HttpResponse:
    """A family's own, or those that officers have to answer; then the answered ones."""
    return _list(request)


def _list(request: HttpRequest, problems: list[str] | None = None, posted: int = 0) -> HttpResponse:
    user = user_of(request)
    found = Complaint.objects.visible_to(user).select_related("contract__institution", "answered_by")
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()
    if user.is_officer and state == "answered":
        found = found.filter(answered_at__isnull=False)
    elif user.is_officer and state != "all":
        state, found = "", found.open()
    if text:
        found = found.filter(contract__institution__in=Organisation.objects.matching(text))
    page = Paginator(found.order_by("-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "state": state, "q": text, "problems": problems or [], "posted": posted, "text": request.POST.get("text", "")}
    template = "escrow/risk/includes/complaints.html" if is_fragment(request) else "escrow/risk/complaints.html"
    return render(request, template, context, status=422 if problems else 200)


@for_roles(*OFFICERS)
@require_POST
def complaint_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a family."""
    complaint, form = get_object_or_404(Complaint.objects.visible_to(user_of(request)), pk=pk), AnswerComplaintForm(request.POST)
    if not form.is_valid():
        return _list(request, errors_of(form), pk)
    try:
        acts.answer(complaint, text=form.cleaned_data["text"], by=user_of(request))
    except ValidationError as error:
        # Answered by somebody else meanwhile: it stands no more among those that wait.
        messages.warning(request, error.messages[0])
        return redirect("escrow:complaints")
    messages.success(request, "已答复，家长会收到通知。")
    return redirect("escrow:complaints")
