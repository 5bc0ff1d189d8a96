"""Doors of the institutions app: advertisements and activities that officers saw."""

from __future__ import annotations

from django.urls import path

from qingdan.institutions.views import advertising

urlpatterns = [
    path("advertisements/", advertising.advertisements, name="advertisements"),
    path("advertisements/export.xlsx", advertising.advertisements_export, name="advertisements_export"),
    path("advertisements/new/", advertising.advertisement_new, name="advertisement_new"),
    path("advertisements/words/", advertising.advertisement_words, name="advertisement_words"),
    path("advertisements/<int:pk>/", advertising.advertisement, name="advertisement"),
    path("advertisements/<int:pk>/photo/", advertising.advertisement_photo, name="advertisement_photo"),
    path("advertisements/<int:pk>/withdraw/", advertising.advertisement_withdraw, name="advertisement_withdraw"),
    path("activities/", advertising.activities, name="activities"),
    path("activities/export.xlsx", advertising.activities_export, name="activities_export"),
    path("activities/new/", advertising.activity_new, name="activity_new"),
    path("activities/<int:pk>/", advertising.activity, name="activity"),
    path("activities/<int:pk>/withdraw/", advertising.activity_withdraw, name="activity_withdraw"),
]
