"""How a page answers an act."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest


def attempt(request: HttpRequest, act: Callable[[], object], done: str) -> bool:
    """Do it and say so, or say why not."""
    try:
        act()
    except ValidationError as error:
        messages.error(request, "；".join(error.messages))
        return False
    messages.success(request, done)
    return True


def errors_of(form: BaseForm) -> list[str]:
    """All of a form's messages, in the order of its fields."""
    return [str(message) for messages in form.errors.values() for message in messages]


def attempt_with(request: HttpRequest, form: BaseForm, act: Callable[[], object], done: str) -> bool:
    """The same of an act that takes what a form says, where the form is right."""
    for problem in errors_of(form):
        messages.error(request, problem)
    return form.is_valid() and attempt(request, act, done)
