"""Doors of prepaid tuition: warnings, risk files, complaints."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import complaints, risk

urlpatterns = [
    path("risks/", risk.risks, name="risks"),
    path("risks/export/", risk.risks_export, name="risks_export"),
    path("risks/reckon/", risk.risks_reckon, name="risks_reckon"),
    path("risks/weights/", risk.weights, name="risk_weights"),
    path("risks/<int:pk>/", risk.risk, name="risk"),
    path("risks/<int:pk>/steps/", risk.risk_step, name="risk_step"),
    path("risks/<int:pk>/pause/", risk.risk_pause, name="risk_pause"),
    path("risks/<int:pk>/charts/<slug:name>.svg", risk.risk_chart, name="risk_chart"),
    path("risks/steps/<int:pk>/done/", risk.risk_step_done, name="risk_step_done"),
    path("complaints/", complaints.complaints, name="complaints"),
    path("complaints/<int:pk>/answer/", complaints.complaint_answer, name="complaint_answer"),
    path("contracts/<int:pk>/complain/", complaints.complain, name="complain"),
]
