"""Open the accounts of the demonstration at its bank."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from qingdan.escrow.demo_accounts import open_missing


class Command(BaseCommand):
    """``open_demo_accounts``: harmless when they are open."""

    help = "在演示银行开立示范区各机构的监管账户和结算账户（已开的不动）"

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many were opened."""
        try:
            self.stdout.write(f"演示银行新开 {open_missing()} 个账户")
        except (OSError, ValueError) as problem:
            raise CommandError(f"演示银行没有应答：{problem}") from problem
