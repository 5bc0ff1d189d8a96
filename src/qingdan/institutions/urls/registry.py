"""Doors of the registry."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import imports, records, registry

urlpatterns = [
    path("", registry.registry, name="registry"),
    path("export.xlsx", registry.export, name="registry_export"),
    path("new/", registry.institution_new, name="institution_new"),
    path("mine/", registry.mine, name="mine"),
    path("<int:pk>/", registry.institution, name="institution"),
    path("<int:pk>/edit/", registry.institution_edit, name="institution_edit"),
    path("<int:pk>/codes/", registry.institution_codes, name="institution_codes"),
    path("<int:pk>/state/", records.set_state, name="institution_state"),
    path("<int:pk>/premises/", records.add_premises, name="premises_add"),
    path("premises/<int:pk>/close/", records.close_premises, name="premises_close"),
    path("<int:pk>/owners/", records.add_owner, name="owner_add"),
    path("owners/<int:pk>/end/", records.end_owner, name="owner_end"),
    path("<int:pk>/capital/", records.add_capital, name="capital_add"),
    path("<int:pk>/listings/", records.add_listing, name="listing_add"),
    path("listings/<int:pk>/end/", records.end_listing, name="listing_end"),
    path("<int:pk>/evaluations/", records.add_evaluation, name="evaluation_add"),
    path("<int:pk>/pledges/", records.add_pledge, name="pledge_add"),
    path("imports/", imports.register_imports, name="register_imports"),
    path("imports/template.xlsx", imports.register_template, name="register_template"),
    path("imports/<int:pk>/", imports.register_import, name="register_import"),
    path("imports/<int:pk>/apply/", imports.register_apply, name="register_apply"),
    path("imports/<int:pk>/codes/", imports.register_codes, name="register_codes"),
    path("imports/<int:pk>/undo/", imports.register_undo, name="register_undo"),
    path("imports/<int:pk>/discard/", imports.register_discard, name="register_discard"),
]
