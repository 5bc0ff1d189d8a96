"""The escrow app."""

from __future__ import annotations

from django.apps import AppConfig


class EscrowConfig(AppConfig):
    """Prepaid tuition under supervision."""

    name = "qingdan.escrow"
    verbose_name = "预收费监管"

    def ready(self) -> None:
        """Say where the facts about prepaid tuition come from, and what everybody may know of it."""
        from qingdan.accounts import marks
        from qingdan.escrow.facts import SOURCES
        from qingdan.escrow.public import custody_marks
        from qingdan.judging.facts import register

        register(*SOURCES)
        marks.register("escrow", custody_marks)
