"""The page on which a bureau brings a school in."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from qingdan.accounts.access import for_roles, user_of
from qingdan.accounts.enums import Role
from qingdan.schools.actions.registering import layers_for, region_of, register_school
from qingdan.schools.forms import SchoolForm
from qingdan.schools.views.joining import sheet

#: What the records call a field -> what the form calls it.
_FIELDS = {"username": "leader_username", "display_name": "leader_name"}


@for_roles(Role.BUREAU)
def new_school(request: HttpRequest) -> HttpResponse:
    """Bring a school in; the answer is the slip with its leader's code, which is shown once."""
    user = user_of(request)
    try:
        region = region_of(user.employer)
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return redirect("places:calendar")
    form = SchoolForm(request.POST or None, layers=layers_for(region))
    if request.method == "POST" and form.is_valid():
        try:
            school, slip = register_school(by=user, **form.cleaned_data)
        except ValidationError as error:
            _tell(form, error)
        else:
            return sheet(request, school.name, [slip], f"{school.name}已登记：管理者的加入码", reverse("schools:school", args=[school.pk]))
    return render(request, "schools/new.html", {"form": form}, status=400 if form.errors else 200)


def _tell(form: SchoolForm, error: ValidationError) -> None:
    """Put what a record refuses beside the field that asked for it."""
    for name, said in error.update_error_dict({}).items():
        field = _FIELDS.get(name, name)
        form.add_error(field if field in form.fields else None, [str(message) for each in said for message in each.messages])
