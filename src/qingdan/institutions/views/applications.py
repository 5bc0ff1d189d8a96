"""Pages of applications for those who apply, and the page of one application for both sides."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.answering import attempt
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions.applications import (
    ALLOWED_IN,
    NEEDS_NOTICE,
    WITHOUT_VISIT,
    add_files,
    submit,
    withdraw,
)
from qingdan.institutions.actions.permits import WITH_PERMIT
from qingdan.institutions.enums import ApplicationAct, ApplicationState
from qingdan.institutions.forms.applications import FORMS, FilesForm, ReasonForm, shown_details
from qingdan.institutions.models import Application, ApplicationFile
from qingdan.institutions.routing import acts_for, offices_over
from qingdan.places.calendar import today
from qingdan.storage.downloads import saved

log = logging.getLogger(__name__)
_PER_PAGE = 30
_READERS = (Role.INSTITUTION, *OFFICERS)
_WITH_APPLICANT = (ApplicationState.DRAFT, ApplicationState.INCOMPLETE)
#: In which the department in charge has something to do.
_WITH_OFFICERS = (*ALLOWED_IN[ApplicationAct.REFUSE], ApplicationState.SUBMITTED, ApplicationState.ON_NOTICE)
#: The main way, in order; kinds leave out what they do not need.
_WAY = (
    ApplicationState.SUBMITTED,
    ApplicationState.ACCEPTED,
    ApplicationState.TO_VISIT,
    ApplicationState.TO_NOTIFY,
    ApplicationState.ON_NOTICE,
    ApplicationState.TO_DECIDE,
)


def found_application(request: HttpRequest, pk: int) -> Application:
    """One that the user may see."""
    found = Application.objects.visible_to(user_of(request)).select_related("applicant", "premises", "permit", "created_by")
    return get_object_or_404(found, pk=pk)


def _own(request: HttpRequest, pk: int) -> Application:
    """One that the applicant may still change."""
    application = found_application(request, pk)
    if application.state not in _WITH_APPLICANT:
        raise Http404
    return application


def way_of(application: Application) -> list[dict[str, Any]]:
    """The steps of a kind with where the application stands: done, now or still to come."""
    steps = [
        each
        for each in _WAY
        if not (each == ApplicationState.TO_VISIT and application.kind in WITHOUT_VISIT)
        and not (each in (ApplicationState.TO_NOTIFY, ApplicationState.ON_NOTICE) and application.kind not in NEEDS_NOTICE)
    ]
    # What waits for more papers waits at the first step.
    here = ApplicationState.SUBMITTED if application.state == ApplicationState.INCOMPLETE else application.state
    at = steps.index(ApplicationState(here)) if here in steps else -1
    is_over = application.state == ApplicationState.APPROVED
    return [
        {"label": each.label, "standing": "done" if is_over or index < at else "now" if index == at else "later"}
        for index, each in enumerate(steps)
    ]


@for_roles(Role.INSTITUTION)
@require_safe
def applications(request: HttpRequest) -> HttpResponse:
    """One's own applications."""
    found = Application.objects.visible_to(user_of(request)).select_related("permit")
    page = Paginator(found, _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "institutions/applications/list.html", {"page": page, "today": today()})


@for_roles(Role.INSTITUTION)
@require_safe
def application_new(request: HttpRequest) -> HttpResponse:
    """Choose what to apply for."""
    kinds = [(kind, form.kind.label, form.about) for kind, form in FORMS.items()]
    return render(request, "institutions/applications/new.html", {"kinds": kinds})


@for_roles(Role.INSTITUTION)
def application_apply(request: HttpRequest, kind: str) -> HttpResponse:
    """Fill in the form of a kind; it is kept as a draft."""
    if kind not in FORMS:
        raise Http404
    form = FORMS[kind](request.POST or None, applicant=user_of(request).employer)
    if request.method == "POST" and form.is_valid():
        saved = form.save(user_of(request))
        messages.success(request, "已保存为草稿。请上传材料，再提交。")
        return redirect("institutions:application", saved.pk)
    context = {"form": form, "kind": form.kind, "application": None}
    return render(request, "institutions/applications/edit.html", context, status=400 if form.errors else 200)


@for_roles(Role.INSTITUTION)
def application_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft, or one that was given back."""
    found = _own(request, pk)
    form = FORMS[found.kind](request.POST or None, applicant=found.applicant, application=found)
    if request.method == "POST" and form.is_valid():
        form.save(user_of(request))
        messages.success(request, "已保存。")
        return redirect("institutions:application", pk)
    context = {"form": form, "kind": form.kind, "application": found}
    return render(request, "institutions/applications/edit.html", context, status=400 if form.errors else 200)


@for_roles(Role.INSTITUTION)
@require_POST
def application_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw away a draft."""
    found = get_object_or_404(Application.objects.visible_to(user_of(request)), pk=pk, state=ApplicationState.DRAFT)
    found.delete()
    log.info("application.deleted application=%s by=%s", pk, user_of(request).pk)
    messages.success(request, "草稿已删除。")
    return redirect("institutions:applications")


@for_roles(Role.INSTITUTION)
@require_POST
def application_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it in; the law answers at once where it never allows it."""
    found = found_application(request, pk)
    try:
        submit(application=found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        if found.state == ApplicationState.REFUSED:
            messages.error(request, "政策不允许批准这件申请，依据见下。")
        else:
            messages.success(request, f"已提交给{found.get_department_display()}。进展会通知您。")
    return redirect("institutions:application", pk)


@for_roles(Role.INSTITUTION)
@require_POST
def application_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back."""
    found = found_application(request, pk)
    attempt(request, lambda: withdraw(application=found, by=user_of(request)), "已撤回。")
    return redirect("institutions:application", pk)


def application_page(request: HttpRequest, found: Application, *, status: int = 200, **forms: Any) -> HttpResponse:
    """One application: where it stands, what was applied for, what was done, and what the reader may do next."""
    user = user_of(request)
    offices = offices_over(found.applicant) if user.is_officer else []
    is_in_charge = acts_for(user, found.department, offices)
    state = ApplicationState(found.state)
    is_open_for = {act.value: state in states for act, states in ALLOWED_IN.items()}
    is_blocked = bool(found.second_department) and not found.is_second_agreed
    context = {
        "application": found,
        "today": today(),
        "details": shown_details(found),
        "files": list(found.files.defer("content").select_related("added_by")),
        "events": list(found.events.select_related("actor")),
        "way": way_of(found),
        "is_applicants": not user.is_officer,
        "is_with_applicant": state in _WITH_APPLICANT,
        "has_acts": is_in_charge and state in _WITH_OFFICERS,
        "may": is_open_for if is_in_charge else {},
        "may_withdraw": not user.is_officer and is_open_for[ApplicationAct.WITHDRAW],
        "may_consult": state == ApplicationState.ACCEPTED
        and found.is_second_agreed is None
        and acts_for(user, found.second_department, offices),
        "is_blocked": is_blocked,
        "has_permit": found.kind in WITH_PERMIT,
        "files_form": FilesForm(),
        "reason_form": ReasonForm(),
    }
    return render(request, "institutions/applications/application.html", context | forms, status=status)


@for_roles(*_READERS)
@require_safe
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """One application."""
    return application_page(request, found_application(request, pk))


@for_roles(Role.INSTITUTION)
@require_POST
def application_file_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add papers."""
    found = _own(request, pk)
    form = FilesForm(request.POST, request.FILES)
    if form.is_valid():
        label, files = form.cleaned_data["label"], form.cleaned_data["files"]
        try:
            add_files(application=found, by=user_of(request), label=label, files=files)
        except ValidationError as error:
            form.add_error("files", error)
        else:
            messages.success(request, "材料已上传。")
            return redirect("institutions:application", pk)
    return application_page(request, found, status=400, files_form=form)


@for_roles(*_READERS)
@require_safe
def application_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """One file, byte for byte; always saved, never shown in the browser."""
    file = get_object_or_404(ApplicationFile.objects.filter(application=found_application(request, pk)), pk=file_pk)
    log.info("application.file_downloaded application=%s file=%s by=%s", pk, file_pk, user_of(request).pk)
    return saved(file.content, file.name, file.content_type)


@for_roles(Role.INSTITUTION)
@require_POST
def application_file_delete(request: HttpRequest, pk: int, file_pk: int) -> HttpResponse:
    """Take a paper off while the application is with the applicant."""
    papers = ApplicationFile.objects.defer("content").filter(application=_own(request, pk), is_of_visit=False)
    get_object_or_404(papers, pk=file_pk).delete()
    log.info("application.file_deleted application=%s file=%s by=%s", pk, file_pk, user_of(request).pk)
    messages.success(request, "材料已删除。")
    return redirect("institutions:application", pk)
