"""Between password and code: what the session remembers of somebody who is not signed in yet."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest

from qingdan.accounts.models import User

_KEY = "pending_login"
#: Minutes for which a password given waits for its code.
_MINUTES = 10


@dataclass(frozen=True)
class PendingLogin:
    """A user whose password was right."""

    user: User
    backend: str
    next_url: str

    @classmethod
    def keep(cls, request: HttpRequest, user: User, *, next_url: str) -> None:
        """Remember it in a session of a new number, so that one known before is worth nothing."""
        request.session.cycle_key()
        request.session[_KEY] = {
            "user": user.pk,
            # A password changed meanwhile ends the waiting.
            "hash": user.get_session_auth_hash(),
            "backend": user.backend,
            "next": next_url,
            "at": time.time(),
        }

    @classmethod
    def of(cls, request: HttpRequest) -> PendingLogin | None:
        """Who waits in this session; None when nobody does or it took too long."""
        kept = request.session.get(_KEY)
        if not kept or time.time() - kept["at"] > _MINUTES * 60:
            return None
        user = User.objects.select_related("organisation").filter(pk=kept["user"], is_active=True).first()
        if user is None or user.get_session_auth_hash() != kept["hash"]:
            return None
        return cls(user, kept["backend"], kept["next"])

    @staticmethod
    def forget(request: HttpRequest) -> None:
        """Nobody waits any longer."""
        request.session.pop(_KEY, None)
