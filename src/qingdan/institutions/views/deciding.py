"""Pages of the officers: the queue, the acts, the visit on a phone, the decision, the deadlines; and the public notice."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import OFFICERS
from qingdan.accounts.models import User
from qingdan.institutions.actions import applications as acts
from qingdan.institutions.actions.permits import WITH_PERMIT, approve
from qingdan.institutions.enums import ApplicationState
from qingdan.institutions.forms.applications import DeadlinesForm, QueueFilter, ReasonForm, VisitForm
from qingdan.institutions.forms.permits import ApproveForm
from qingdan.institutions.models import Application, StepDeadline
from qingdan.institutions.routing import acts_for, deadlines_of, offices_over
from qingdan.institutions.views.applications import application_page, found_application
from qingdan.places.calendar import today

_PER_PAGE = 30

_Act = Callable[[Application, User, str], object]
#: Act in the address -> what it does, and what is said then.
_ACTS: dict[str, tuple[_Act, str]] = {
    "return": (
        lambda found, by, reason: acts.return_incomplete(application=found, by=by, reason=reason),
        "已退回补正，申请单位会收到通知。",
    ),
    "accept": (lambda found, by, reason: acts.accept(application=found, by=by, reason=reason), "已受理。"),
    "agree": (lambda found, by, reason: acts.consult(application=found, by=by, is_agreed=True, reason=reason), "已会签：同意。"),
    "disagree": (lambda found, by, reason: acts.consult(application=found, by=by, is_agreed=False, reason=reason), "已会签：不同意。"),
    "review": (lambda found, by, reason: acts.review(application=found, by=by, reason=reason), "审查通过。"),
    "notify": (lambda found, by, reason: acts.start_notice(application=found, by=by), "已开始公示。"),
    "object": (lambda found, by, reason: acts.record_objection(application=found, by=by, reason=reason), "异议已记录。"),
    "refuse": (
        lambda found, by, reason: acts.refuse(application=found, by=by, reason=reason),
        "已作出不予批准的决定，申请单位会收到通知。",
    ),
}


@for_roles(*OFFICERS)
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What there is to do, the most urgent first."""
    form = QueueFilter(request.GET)
    found = form.apply(Application.objects.visible_to(user_of(request))).select_related("applicant")
    page = Paginator(found.order_by(F("due_on").asc(nulls_last=True), "applied_on", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    template = "institutions/applications/includes/queue.html" if is_fragment(request) else "institutions/applications/queue.html"
    return render(request, template, {"page": page, "form": form, "today": today()})


@for_roles(*OFFICERS)
@require_POST
def application_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One act that needs no more than a reason."""
    if act not in _ACTS:
        raise Http404
    found, form = found_application(request, pk), ReasonForm(request.POST)
    if not form.is_valid():
        return application_page(request, found, status=400, reason_form=form)
    do, done = _ACTS[act]
    attempt(request, lambda: do(found, user_of(request), form.cleaned_data["reason"]), done)
    return redirect("institutions:application", pk)


def _in_charge(request: HttpRequest, pk: int) -> Application:
    """One on which the user's department decides."""
    found = found_application(request, pk)
    if not acts_for(user_of(request), found.department, offices_over(found.applicant)):
        raise Http404
    return found


@for_roles(*OFFICERS)
def application_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """What is seen on site, on a phone."""
    found = _in_charge(request, pk)
    form = VisitForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            acts.visit(application=found, by=user_of(request), **given)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "核查结果已保存。")
            return redirect("institutions:application", pk)
    context = {"application": found, "form": form, "is_due": found.state == ApplicationState.TO_VISIT}
    return render(request, "institutions/applications/visit.html", context, status=400 if form.errors else 200)


@for_roles(*OFFICERS)
def application_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve and, where there is one, issue the permit."""
    found = _in_charge(request, pk)
    form = ApproveForm(request.POST or None, has_permit=found.kind in WITH_PERMIT)
    if request.method == "POST" and form.is_valid():
        try:
            approve(application=found, by=user_of(request), reason=form.cleaned_data["reason"], grant=form.grant())
        except ValidationError as error:
            for message in error.messages:
                form.add_error(None, message)
        else:
            messages.success(request, "已批准，申请单位会收到通知。")
            return redirect("institutions:application", pk)
    context = {
        "application": found,
        "form": form,
        "is_due": found.state == ApplicationState.TO_DECIDE,
        "objections_raised": list(found.events.filter(act="object").select_related("actor")),
    }
    return render(request, "institutions/applications/approve.html", context, status=400 if form.errors else 200)


@for_roles(*OFFICERS)
def deadlines(request: HttpRequest) -> HttpResponse:
    """How many working days the bureau gives itself for each step."""
    bureau = user_of(request).employer
    form = DeadlinesForm(request.POST or None, days=deadlines_of(bureau))
    if request.method == "POST" and form.is_valid():
        StepDeadline.objects.bulk_create(
            [StepDeadline(bureau=bureau, state=state, working_days=days) for state, days in form.cleaned_data.items()],
            update_conflicts=True, unique_fields=["bureau", "state"], update_fields=["working_days"],
        )  # fmt: skip
        messages.success(request, "办理时限已保存，从下一步起按新的时限计算。")
        return redirect("institutions:deadlines")
    return render(request, "institutions/applications/deadlines.html", {"form": form}, status=400 if form.errors else 200)


@login_not_required
@require_safe
def applications_public(request: HttpRequest) -> HttpResponse:
    """What the public is asked about now; neither contact nor papers."""
    found = Application.objects.filter(state=ApplicationState.ON_NOTICE, notice_from__lte=today(), notice_until__gte=today())
    page = Paginator(found.select_related("applicant", "premises").order_by("notice_until", "pk"), _PER_PAGE)
    return render(request, "institutions/applications/public.html", {"page": page.get_page(request.GET.get("page"))})
