"""Doors of prepaid tuition."""

from __future__ import annotations

from qingdan.escrow.urls import banking, contracts, custody, doors, lessons, prices, refunds, risk

app_name = "escrow"
urlpatterns = [
    *banking.urlpatterns,
    *contracts.urlpatterns,
    *custody.urlpatterns,
    *doors.urlpatterns,
    *lessons.urlpatterns,
    *prices.urlpatterns,
    *refunds.urlpatterns,
    *risk.urlpatterns,
]
