"""Doors of the escrow app: contracts and the families' codes."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import codes
from qingdan.escrow.views import contracts as views

urlpatterns = [
    path("contracts/", views.contracts, name="contracts"),
    path("contracts/export/", views.contracts_export, name="contracts_export"),
    path("contracts/new/", views.contract_new, name="contract_new"),
    path("contracts/aid/", views.contract_aid, name="contract_aid"),
    path("contracts/<int:pk>/", views.contract, name="contract"),
    path("contracts/<int:pk>/check/", views.contract_check, name="contract_check"),
    path("contracts/<int:pk>/edit/", views.contract_edit, name="contract_edit"),
    path("contracts/<int:pk>/delete/", views.contract_delete, name="contract_delete"),
    path("contracts/<int:pk>/offer/", views.contract_offer, name="contract_offer"),
    path("contracts/<int:pk>/take-back/", views.contract_take_back, name="contract_take_back"),
    path("contracts/<int:pk>/sign/", views.contract_sign, name="contract_sign"),
    path("contracts/<int:pk>/end/", views.contract_end, name="contract_end"),
    path("contracts/<int:pk>/download/", views.contract_download, name="contract_download"),
    path("codes/", codes.codes, name="codes"),
    path("codes/<int:pk>/revoke/", codes.code_revoke, name="code_revoke"),
]
