"""What the findings tell of training institutions: closed breaches to the public, counts to those who oversee them."""

from __future__ import annotations

from django.db.models import Count, Q
from django.utils import timezone

from qingdan.accounts.models import User
from qingdan.findings.enums import PENDING, FindingStatus
from qingdan.findings.models import Finding
from qingdan.institutions.models import Institution
from qingdan.institutions.oversight import FieldCount, SettledFinding
from qingdan.policy.packs import default_pack


class FindingsTold:
    """Answers what ``institutions.oversight`` asks."""

    def settled(self, organisation_id: int) -> list[SettledFinding]:
        """Those that the bureau has closed, the latest first. What is open, disputed or withdrawn is nobody's business but theirs."""
        found = Finding.objects.filter(organisation_id=organisation_id, status=FindingStatus.SETTLED, decided_at__isnull=False)
        known = default_pack().clauses
        rows = found.order_by("-decided_at", "-pk").values_list("title", "cites", "found_at", "decided_at")
        return [
            SettledFinding(
                title,
                tuple((cite["clause"] if cite["clause"] in known else "", cite["text"]) for cite in cites),
                timezone.localdate(found_at),
                timezone.localdate(decided_at),
            )
            for title, cites, found_at, decided_at in rows
        ]

    def counts(self, user: User) -> list[FieldCount]:
        """By field and kind of fact, in one statement."""
        overseen = Institution.objects.visible_to(user)
        found = Finding.objects.visible_to(user).filter(organisation__institution__in=overseen).order_by()
        rows = found.values_list("organisation__institution__field", "kind").annotate(
            pending=Count("pk", filter=Q(status__in=PENDING)), whole=Count("pk")
        )
        return [FieldCount(field, kind, pending, whole) for field, kind, pending, whole in rows.order_by("kind")]
