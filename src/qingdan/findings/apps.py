"""The findings app."""

from __future__ import annotations

from django.apps import AppConfig


class FindingsConfig(AppConfig):
    """Findings."""

    name = "qingdan.findings"
    verbose_name = "问题清单"

    def ready(self) -> None:
        """Tell the institutions' pages what is found of them."""
        from qingdan.findings.institutions import FindingsTold
        from qingdan.institutions.oversight import register

        register(FindingsTold())
