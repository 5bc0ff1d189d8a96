"""Helps a user who has lost both the phone and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from qingdan.accounts.models import User
from qingdan.accounts.second_factor import remove


class Command(BaseCommand):
    """Remove a user's second factor.

    1. Find the user.
    2. Remove the app and the recovery codes; the password stays as it is.
    """

    help = "撤销账户的两步验证（手机和恢复码都丢了时用）；请先当面或电话核实本人"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("username", help="用户名")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the procedure."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"没有用户名为“{options['username']}”的账户")
        if remove(user):
            self.stdout.write(f"已撤销 {user.username} 的两步验证；下次登录只要密码，请提醒本人重新启用")
        else:
            self.stdout.write(f"{user.username} 没有启用两步验证，不必撤销")
