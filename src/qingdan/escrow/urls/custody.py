"""Doors of prepaid tuition: custody agreements."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import custody as views

urlpatterns = [
    path("custody/", views.agreements, name="agreements"),
    path("custody/export/", views.agreements_export, name="agreements_export"),
    path("custody/new/", views.agreement_new, name="agreement_new"),
    path("custody/<int:pk>/", views.agreement, name="agreement"),
    path("custody/<int:pk>/change/", views.agreement_change, name="agreement_change"),
    path("custody/<int:pk>/end/", views.agreement_end, name="agreement_end"),
    path("custody/<int:pk>/pause/", views.agreement_pause, name="agreement_pause"),
]
