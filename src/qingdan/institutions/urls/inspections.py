"""Doors of the institutions app: yearly inspections."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import inspecting, inspections

urlpatterns = [
    path("inspections/", inspections.inspections, name="inspections"),
    path("inspections/new/", inspections.campaign_new, name="inspection_campaign_new"),
    path("inspections/campaigns/<int:pk>/", inspections.campaign, name="inspection_campaign"),
    path("inspections/campaigns/<int:pk>/export.xlsx", inspections.campaign_export, name="inspection_campaign_export"),
    path("inspections/campaigns/<int:pk>/extend/", inspections.campaign_extend, name="inspection_campaign_extend"),
    path("inspections/campaigns/<int:pk>/cancel/", inspections.campaign_cancel, name="inspection_campaign_cancel"),
    path("inspections/<int:pk>/", inspecting.inspection, name="inspection"),
    path("inspections/<int:pk>/submit/", inspecting.submit, name="inspection_submit"),
    path("inspections/<int:pk>/corrected/", inspecting.corrected, name="inspection_corrected"),
    path("inspections/<int:pk>/rest-met/", inspecting.rest_met, name="inspection_rest_met"),
    path("inspections/<int:pk>/conclude/", inspecting.conclude, name="inspection_conclude"),
    path("inspections/<int:pk>/reopen/", inspecting.reopen, name="inspection_reopen"),
    path("inspections/<int:pk>/suspend/", inspecting.suspend, name="inspection_suspend"),
    path("inspections/<int:pk>/blacklist/", inspecting.blacklist, name="inspection_blacklist"),
    path("inspections/items/<int:pk>/report/", inspecting.item_report, name="inspection_item_report"),
    path("inspections/items/<int:pk>/check/", inspecting.item_check, name="inspection_item_check"),
    path("inspections/evidence/<int:pk>/", inspecting.evidence, name="inspection_evidence"),
    path("inspections/evidence/<int:pk>/delete/", inspecting.evidence_delete, name="inspection_evidence_delete"),
]
