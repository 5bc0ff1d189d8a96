"""Doors of the homework app for those who are signed in; ``public`` are those for everybody."""

from __future__ import annotations

from qingdan.homework.urls import completion, designs, disclosure, register, supervision

app_name = "homework"
urlpatterns = [
    *register.urlpatterns,
    *disclosure.urlpatterns,
    *designs.urlpatterns,
    *completion.urlpatterns,
    *supervision.urlpatterns,
]
