"""The turn of the school year, for the leader."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.places.calendar import today
from qingdan.schools.actions.rollover import plan_for, roll_over, undo_rollover
from qingdan.schools.forms import RolloverForm
from qingdan.schools.models import YearRollover
from qingdan.schools.views.answering import own_school


@for_roles(Role.SCHOOL_LEADER)
def rollover(request: HttpRequest) -> HttpResponse:
    """What becomes of each class next year; confirmed, it is done."""
    school = own_school(request)
    done = YearRollover.objects.visible_to(user_of(request)).defer("journal").select_related("from_year", "to_year", "applied_by")
    try:
        plan = plan_for(school, today())
    except ValidationError as error:
        context = {"school": school, "problem": "；".join(error.messages), "earlier": list(done[:10])}
        return render(request, "schools/rollover.html", context, status=200 if request.method == "GET" else 400)
    form = RolloverForm(request.POST or None, initial={"first_classes": plan.first_classes})
    if request.method == "POST" and form.is_valid():
        try:
            roll_over(school, plan, by=user_of(request), **form.cleaned_data)
        except ValidationError as error:
            messages.error(request, "；".join(error.messages))
        else:
            messages.success(request, f"已升到{plan.to_year}。原学年的班级和记录都保留；如有差错可以在本页撤销。")
        return redirect("schools:rollover")
    current = done.in_force().filter(to_year=plan.to_year).first()
    context = {"school": school, "plan": plan, "form": form, "current": current, "earlier": list(done[:10])}
    return render(request, "schools/rollover.html", context, status=400 if form.errors else 200)


@for_roles(Role.SCHOOL_LEADER)
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the turn of the year back."""
    found = get_object_or_404(YearRollover.objects.visible_to(user_of(request)).select_related("school"), pk=pk)
    try:
        undone = undo_rollover(found, by=user_of(request))
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
    else:
        messages.success(request, "已撤销升级，班级和学生回到了升级之前。" if undone else "这次升级先前已经撤销。")
    return redirect("schools:rollover")
