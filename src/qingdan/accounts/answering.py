"""How a page answers an act."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
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
