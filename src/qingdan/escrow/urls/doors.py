"""Doors of prepaid tuition: the officers' and the institutions' first pages, large flows, books."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import doors, ledgers

urlpatterns = [
    path("watch/", doors.watch, name="watch"),
    path("watch/<slug:name>.svg", doors.watch_chart, name="watch_chart"),
    path("watch/<slug:name>.xlsx", doors.watch_table, name="watch_table"),
    path("desk/", doors.desk, name="desk"),
    path("flows/", doors.flows, name="flows"),
    path("flows/<int:pk>/circulate/", doors.flow_circulate, name="flow_circulate"),
    path("ledgers/", ledgers.ledgers, name="ledgers"),
    path("ledgers/<int:pk>/", ledgers.ledger, name="ledger"),
    path("ledgers/<int:pk>/verify/", ledgers.ledger_verify, name="ledger_verify"),
    path("ledgers/<int:pk>/accounts/", ledgers.ledger_accounts, name="ledger_accounts"),
    path("ledgers/accounts/<int:pk>/", ledgers.ledger_account, name="ledger_account"),
]
