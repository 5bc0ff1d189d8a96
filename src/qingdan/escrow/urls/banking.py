"""Doors of prepaid tuition: paying, what banks are told and say, reconciliation."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import banking, paying, reconciliation

urlpatterns = [
    path("pay/<str:reference>/", paying.pay, name="pay"),
    path("pay/<str:reference>/back/", paying.pay_back, name="pay_back"),
    path("banking/", banking.instructions, name="instructions"),
    path("banking/send/", banking.instructions_send, name="instructions_send"),
    path("banking/export/", banking.instructions_export, name="instructions_export"),
    path("banking/statements/", banking.statements, name="statements"),
    path("banking/statements/fetch/", banking.statements_fetch, name="statements_fetch"),
    path("banking/statements/<int:pk>/", banking.bank_statement, name="bank_statement"),
    path("banking/lines/", banking.lines, name="lines"),
    path("banking/lines/<int:pk>/", banking.line, name="line"),
    path("banking/days/", reconciliation.days, name="days"),
    path("banking/days/export/", reconciliation.days_export, name="days_export"),
    path("banking/days/reckon/", reconciliation.days_reckon, name="days_reckon"),
    path("banking/days/<int:pk>/", reconciliation.day, name="day"),
    path("banking/gaps/", reconciliation.gaps, name="gaps"),
    path("banking/gaps/<int:pk>/", reconciliation.gap, name="gap"),
]
