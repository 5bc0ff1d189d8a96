"""The ledger app."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Books of money, lessons and minutes."""

    name = "qingdan.ledger"
    verbose_name = "账簿"
