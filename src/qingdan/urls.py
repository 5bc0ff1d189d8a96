"""All doors of the house."""

from __future__ import annotations

from django.urls import include, path

from qingdan.web import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthy/", views.healthy, name="healthy"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("accounts/", include("qingdan.accounts.urls")),
    path("library/", include("qingdan.library.urls")),
    path("uploads/", include("qingdan.uploads.urls")),
    path("calendar/", include("qingdan.places.urls")),
    path("schools/", include("qingdan.schools.urls")),
    path("notices/", include("qingdan.notices.urls")),
    path("homework/", include("qingdan.homework.urls")),
    path("institutions/", include("qingdan.institutions.urls")),
    path("prepaid/", include("qingdan.escrow.urls")),
    path("directory/", include("qingdan.institutions.urls.public")),
    path("public/", include("qingdan.homework.urls.public")),
    path("findings/", include("qingdan.findings.urls")),
    path("api/", include("qingdan.web.api")),
]

handler400 = "qingdan.web.views.bad_request"
handler403 = "qingdan.web.views.forbidden"
handler404 = "qingdan.web.views.not_found"
handler500 = "qingdan.web.views.server_error"
