"""Reads the signed-in user together with the organisation: nearly every page shows and asks for both."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend

from qingdan.accounts.models import User


class OrganisationBackend(ModelBackend):
    """Django's own backend with one query instead of two."""

    def get_user(self, user_id: int) -> User | None:
        """The active user of a session, with the organisation."""
        return User.objects.select_related("organisation").filter(pk=user_id, is_active=True).first()
