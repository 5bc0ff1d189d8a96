"""Pages of permits: the list, one permit to print and post on the wall, taking it away."""

from __future__ import annotations

import io

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from qingdan.accounts.access import for_roles, is_fragment, user_of
from qingdan.accounts.enums import OFFICERS, Role
from qingdan.institutions.actions.permits import revoke
from qingdan.institutions.forms.permits import PermitFilter, RevokeForm, days_left
from qingdan.institutions.history import history
from qingdan.institutions.models import Permit
from qingdan.institutions.routing import acts_for, offices_over
from qingdan.places.calendar import today

_PER_PAGE = 30
_READERS = (Role.INSTITUTION, *OFFICERS)


def _found(request: HttpRequest, pk: int) -> Permit:
    permits = Permit.objects.visible_to(user_of(request)).select_related("institution__organisation", "premises", "issued_by")
    return get_object_or_404(permits, pk=pk)


@for_roles(*_READERS)
@require_safe
def permits(request: HttpRequest) -> HttpResponse:
    """The permits, those that end soonest first."""
    form = PermitFilter(request.GET)
    found = form.apply(Permit.objects.visible_to(user_of(request)))
    page = Paginator(found.select_related("institution__organisation", "premises").order_by("ends_on", "pk"), _PER_PAGE)
    shown = page.get_page(request.GET.get("page"))
    rows = [{"permit": each, "days_left": days_left(each.ends_on), "is_in_force": each.is_in_force(today())} for each in shown]
    template = "institutions/applications/includes/permits.html" if is_fragment(request) else "institutions/applications/permits.html"
    return render(request, template, {"page": shown, "rows": rows, "form": form, "today": today()})


def _page(request: HttpRequest, permit: Permit, form: RevokeForm, *, status: int = 200) -> HttpResponse:
    user = user_of(request)
    may_revoke = permit.revoked_on is None and acts_for(user, permit.department, offices_over(permit.institution.organisation))
    context = {
        "permit": permit,
        "form": form if may_revoke else None,
        "is_in_force": permit.is_in_force(today()),
        "days_left": days_left(permit.ends_on),
        "today": today(),
        "steps": history(permit),
    }
    return render(request, "institutions/applications/permit.html", context, status=status)


@for_roles(*_READERS)
@require_safe
def permit(request: HttpRequest, pk: int) -> HttpResponse:
    """One permit, to be printed."""
    return _page(request, _found(request, pk), RevokeForm())


@for_roles(*OFFICERS)
@require_POST
def permit_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away."""
    found, form = _found(request, pk), RevokeForm(request.POST)
    if form.is_valid():
        try:
            revoke(permit=found, by=user_of(request), reason=form.cleaned_data["reason"])
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
        else:
            messages.success(request, "已吊销，机构会收到通知。")
        return redirect("institutions:permit", pk)
    return _page(request, found, form, status=400)


@for_roles(*_READERS)
@require_safe
def permit_qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The address of the permit's public page as a picture, to check a print-out by."""
    found, drawing = _found(request, pk), io.BytesIO()
    address = request.build_absolute_uri(reverse("institutions:permit_check", args=[found.pk]))
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", scale=4, border=2, xmldecl=False)
    return HttpResponse(drawing.getvalue(), content_type="image/svg+xml")


@login_not_required
@require_safe
def permit_check(request: HttpRequest, pk: int) -> HttpResponse:
    """What anybody may know of a permit who scans it on a wall: whose it is, for what, and whether it holds today."""
    found = get_object_or_404(Permit.objects.select_related("institution__organisation", "premises"), pk=pk)
    context = {"permit": found, "is_in_force": found.is_in_force(today()), "today": today()}
    return render(request, "institutions/applications/permit_check.html", context)
