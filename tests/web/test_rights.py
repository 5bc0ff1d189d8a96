"""Who may open which address. The table names every address of the house: a new one without a row fails the last test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from qingdan.uploads.enums import UploadStatus
from qingdan.uploads.models import Upload
from tests.rights.test_rights_by_app import CASES
from tests.web.conftest import Cast, Submit, signed_in

LOGIN = 302  # sent to the login page

#: URL name -> method, arguments, then the status for: nobody, the owner, another school, the bureau, an institution.
#: ``upload`` and ``file`` stand for the numbers of the owner's upload and its file.
TABLE: dict[str, tuple[str, tuple[str, ...], tuple[int, int, int, int, int]]] = {
    "home": ("get", (), (200, 200, 200, 200, 200)),
    "healthy": ("get", (), (200, 200, 200, 200, 200)),
    "favicon": ("get", (), (302, 302, 302, 302, 302)),
    "accounts:login": ("get", (), (200, 302, 302, 302, 302)),
    "accounts:logout": ("post", (), (LOGIN, 302, 302, 302, 302)),
    "accounts:password": ("get", (), (LOGIN, 200, 200, 200, 200)),
    "library:home": ("get", (), (200, 200, 200, 200, 200)),
    "library:document": ("get", ("s2",), (200, 200, 200, 200, 200)),
    "library:clause": ("get", ("s2.homework.limits-junior",), (302, 302, 302, 302, 302)),
    "library:parameters": ("get", (), (200, 200, 200, 200, 200)),
    "library:rules": ("get", (), (200, 200, 200, 200, 200)),
    "library:rule": ("get", ("homework.daily-total",), (200, 200, 200, 200, 200)),
    "library:compare": ("get", (), (200, 200, 200, 200, 200)),
    "library:layer": ("get", ("cn",), (200, 200, 200, 200, 200)),
    "library:facts": ("get", (), (200, 200, 200, 200, 200)),
    "library:template": ("get", ("homework_item",), (200, 200, 200, 200, 200)),
    "uploads:list": ("get", (), (LOGIN, 200, 200, 200, 200)),
    "uploads:new": ("get", (), (LOGIN, 200, 200, 200, 200)),
    "uploads:findings": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:unread": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:unjudged": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:files": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:file": ("get", ("upload", "file"), (LOGIN, 200, 404, 404, 404)),
    "uploads:progress": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:report": ("get", ("upload",), (LOGIN, 200, 404, 404, 404)),
    "uploads:retry": ("post", ("upload",), (LOGIN, 302, 404, 404, 404)),
    "uploads:delete": ("post", ("upload",), (LOGIN, 302, 404, 404, 404)),
    "uploads:restore": ("post", ("upload",), (LOGIN, 302, 404, 404, 404)),
}
ROLES = ("nobody", "owner", "other_school", "bureau", "institution")


def names_of(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Every URL name below a resolver, with its namespaces."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from names_of(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        elif isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}"


def client_of(role: str, cast: Cast) -> Client:
    users = {"owner": cast.school, "other_school": cast.other_school, "bureau": cast.bureau, "institution": cast.institution}
    return signed_in(users[role]) if role in users else Client()


@pytest.mark.parametrize("name", TABLE)
def test_each_role_gets_what_the_table_says(name: str, cast: Cast, submit: Submit) -> None:
    method, arguments, expected = TABLE[name]
    known: dict[str, Any] = {}
    if "upload" in arguments:
        upload = submit(cast.school)
        known = {"upload": upload.pk, "file": upload.files.get().pk}
    address = reverse(name, args=[known.get(argument, argument) for argument in arguments])
    got = []
    for role in ROLES:
        response = getattr(client_of(role, cast), method)(address)
        got.append(response.status_code)
        if role == "nobody" and expected[0] == LOGIN and name not in ("favicon", "library:clause"):
            assert response["Location"].startswith((reverse("accounts:login"), reverse("home")))
    assert tuple(got) == expected


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row[0] == "post" and row[1]])
def test_acts_refuse_to_be_a_mere_link(name: str, cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    assert signed_in(cast.school).get(reverse(name, args=[upload.pk])).status_code == 405


def test_acts_of_a_stranger_change_nothing(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    for name in ("retry", "delete", "restore"):
        signed_in(cast.other_school).post(reverse(f"uploads:{name}", args=[upload.pk]))
    upload.refresh_from_db()
    assert upload.status == UploadStatus.DONE
    assert not upload.is_deleted


def test_a_file_is_found_under_its_own_upload_only(cast: Cast, submit: Submit) -> None:
    mine = submit(cast.school)
    theirs = submit(cast.other_school)
    address = reverse("uploads:file", args=[mine.pk, theirs.files.get().pk])
    assert signed_in(cast.school).get(address).status_code == 404


def test_lists_show_the_own_organisation_only(cast: Cast, submit: Submit) -> None:
    submit(cast.school, names=["甲校作业.xlsx"])
    submit(cast.other_school, names=["乙校作业.xlsx"])
    page = signed_in(cast.bureau).get(reverse("uploads:list")).content.decode()
    assert "甲校作业" not in page
    assert "乙校作业" not in page
    assert "甲校作业" in signed_in(cast.school).get(reverse("home")).content.decode()
    assert Upload.objects.visible_to(cast.bureau).count() == 0


def test_acts_need_a_token_of_this_site(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.school, backend="qingdan.accounts.backends.OrganisationBackend")
    response = client.post(reverse("uploads:delete", args=[upload.pk]))
    assert response.status_code == 403
    assert "页面已过期" in response.content.decode()


def test_the_tables_name_every_address() -> None:
    assert set(names_of(get_resolver())) == set(TABLE) | {url for _, url in CASES}
