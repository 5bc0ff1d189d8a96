"""Who may enter: the typed request of someone signed in, and the doors of roles."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import conditional_page, require_safe
from django_htmx.middleware import HtmxDetails

from qingdan.accounts.models import User

#: How long a public page may be kept on its way to a visitor.
SECONDS_KEPT = 60

View = Callable[..., HttpResponse]


class Request(HttpRequest):
    """A request of someone signed in, as the middleware leaves it."""

    user: User
    htmx: HtmxDetails


def user_of(request: HttpRequest) -> User:
    """The signed-in user of a request."""
    return cast("Request", request).user


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    htmx = cast("Request", request).htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def for_roles(*roles: str) -> Callable[[View], View]:
    """A view for these roles; to anybody else signed in it does not exist."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and user_of(request).role not in roles:
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def open_to_all(view: View) -> View:
    """A page for everybody, which caches may keep for a minute and browsers ask for by its ETag."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.user.is_authenticated:
            # It bears a name at the top.
            patch_cache_control(response, private=True, no_cache=True)
        elif not response.has_header("Cache-Control"):
            patch_cache_control(response, public=True, max_age=SECONDS_KEPT)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response

    return login_not_required(require_safe(conditional_page(opened)))
