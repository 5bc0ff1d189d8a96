"""Lists cost the same number of queries however long they are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.uploads.models import Finding, UnreadItem
from tests.web.conftest import Cast, Submit, signed_in


def cost(user: User, address: str) -> int:
    client = signed_in(user)
    client.get(address)  # first visits may load what stays in memory
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["home", "uploads:list"])
def test_lists_of_uploads(name: str, cast: Cast, submit: Submit) -> None:
    submit(cast.school, b"a,b\n0,1\n", names=["0.csv"], judge=False)
    few = cost(cast.school, reverse(name))
    for number in range(1, 12):
        submit(cast.school, f"a,b\n{number},1\n".encode(), names=[f"{number}.csv"], judge=False)
    assert cost(cast.school, reverse(name)) == few <= 16


def test_findings_and_unread_items(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    addresses = [reverse(f"uploads:{tab}", args=[upload.pk]) for tab in ("findings", "unread", "unjudged", "files")]
    UnreadItem.objects.create(upload=upload, reason="x")
    few = [cost(cast.school, address) for address in addresses]
    some = upload.findings.all()[0]
    Finding.objects.bulk_create(
        Finding(
            upload=upload,
            position=1000 + number,
            rule_id=f"rule.r{number % 20}",
            title="t",
            verdict="breach",
            place="cn",
            sentence="s",
            cites=some.cites,
            limits=some.limits,
            sources=some.sources,
        )
        for number in range(300)
    )
    UnreadItem.objects.bulk_create(UnreadItem(upload=upload, reason="x", row=number) for number in range(300))
    many = [cost(cast.school, address) for address in addresses]
    assert many == few
    assert max(few) <= 12


def test_the_content_of_files_is_not_read_for_a_list(cast: Cast, submit: Submit) -> None:
    upload = submit(cast.school)
    client = signed_in(cast.school)
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("uploads:list"))
        client.get(reverse("uploads:files", args=[upload.pk]))
    assert not any('"content"' in query["sql"] for query in captured)


def test_the_library_asks_the_database_nothing(db: None) -> None:
    from django.test import Client

    with CaptureQueriesContext(connection) as captured:
        for name, arguments in (("home", []), ("parameters", []), ("rules", []), ("facts", []), ("document", ["s1"])):
            assert Client().get(reverse(f"library:{name}", args=arguments)).status_code == 200
    assert len(captured) == 0
