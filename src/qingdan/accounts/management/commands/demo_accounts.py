"""Makes the accounts of the demonstration."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from qingdan.accounts.actions import ensure_demo_accounts


class Command(BaseCommand):
    """Make the fictional organisations and users of the demonstration.

    1. Refuse outside a demonstration: the password is known to everyone.
    2. Make the three organisations and users, or put them back as they were.
    3. Say which.
    """

    help = "建立演示用的虚构单位和账户（只在演示或调试时可用，可重复运行）"

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the procedure."""
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError("演示账户的密码人人皆知，只能在演示（QINGDAN_DEMO=1）或调试（QINGDAN_DEBUG=1）时建立")
        for user in ensure_demo_accounts():
            self.stdout.write(f"{user.username}  {user.organisation}（{user.get_role_display()}）")
