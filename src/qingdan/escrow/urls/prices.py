"""Doors of the escrow app: guided prices and filed fees."""

from __future__ import annotations

from django.urls import path

from qingdan.escrow.views import prices as views

urlpatterns = [
    path("prices/", views.prices, name="prices"),
    path("prices/new/", views.price_new, name="price_new"),
    path("prices/export/", views.prices_export, name="prices_export"),
    path("prices/import/", views.prices_import, name="prices_import"),
    path("prices/public/", views.public_prices, name="public_prices"),
    path("prices/<int:pk>/end/", views.price_end, name="price_end"),
    path("prices/<int:pk>/delete/", views.price_delete, name="price_delete"),
    path("fees/", views.fees, name="fees"),
    path("fees/new/", views.fee_new, name="fee_new"),
    path("fees/aid/", views.fee_aid, name="fee_aid"),
    path("fees/<int:pk>/publish/", views.fee_publish, name="fee_publish"),
    path("fees/<int:pk>/withdraw/", views.fee_withdraw, name="fee_withdraw"),
    path("fees/of/<int:pk>/", views.public_fees, name="public_fees"),
]
