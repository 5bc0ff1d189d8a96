"""How the school's pages answer an act: say what was done, keep how to take it back, return to the page."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from qingdan.accounts.access import user_of
from qingdan.places import journal
from qingdan.schools.forms import first_error
from qingdan.schools.models import School

SCOPE = "school"


def own_school(request: HttpRequest) -> School:
    """The school of somebody who works in one."""
    visible = School.objects.visible_to(user_of(request)).select_related("organisation", "region")
    return get_object_or_404(visible, pk=user_of(request).organisation_id)


def answer_act(
    request: HttpRequest, what: str, back: str, act: Callable[[], journal.Journal], form: forms.Form | None = None
) -> HttpResponse:
    """Do something unless the form is faulty, tell it, and return to ``back``; a refusal is told there too."""
    if form is not None and not form.is_valid():
        messages.error(request, first_error(form))
        return redirect(back)
    try:
        done = act()
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect(back)
    if done.entries:
        journal.remember(request, what, done, scope=SCOPE)
        messages.success(request, f"已{what}。")
    else:
        messages.info(request, "没有变化。")
    return redirect(back)
