"""Anybody looks up an institution: permit, teachers, courses, prices, credit; nobody's identity stands there."""

from __future__ import annotations

import datetime

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qingdan.institutions.models import Institution, Listing
from tests.district import MONDAY, District, signed_in
from tests.institutions.making import make_course, make_institution, make_permit, make_premises, make_room, make_staff


def full(institution: Institution, district: District) -> None:
    """An institution with everything that is published."""
    place = make_premises(institution)
    permit = make_permit(institution, place, district.bureau)
    course = make_course(institution, permit, lesson_price_fen=8050)
    teacher = make_staff(institution, "周示例", certificate_number="20209901000012345")
    make_staff(institution, "未公示者", is_published=False)
    make_course(institution, permit, "未备案课程", state="submitted")
    room = make_room(place)
    course.sessions.create(
        institution=institution, on_date=MONDAY + datetime.timedelta(days=5), starts_at=540, ends_at=580, room=room, teacher=teacher
    )
    institution.refund_terms = "开课前全额退费"
    institution.save()
    Listing.objects.create(
        institution=institution, colour="white", since=MONDAY, reason="连续年检合格", decided_by=district.bureau
    )  # fmt: skip
    institution.evaluations.create(evaluator="某评估院", evaluated_on=MONDAY, grade="优秀", recorded_by=district.bureau)
    institution.pledges.create(text="不拖欠退费", pledged_on=MONDAY, pledged_by=district.bureau)


def test_a_visitor_finds_an_institution_by_initials_and_reads_its_page(district: District, institution: Institution) -> None:
    full(institution, district)
    client = Client()
    assert institution.name in client.get(reverse("directory:home"), {"q": "slys"}).content.decode()
    page = client.get(reverse("directory:institution", args=[institution.pk])).content.decode()
    for said in (
        institution.permits.get().number, "周示例", "儿童画", "80.50 元", "开课前全额退费", "周六 11月21日", "9:00–9:40", "连续年检合格",
        "优秀", "不拖欠退费", "示范路1号",
    ):  # fmt: skip
        assert said in page, said


def test_no_identity_and_nothing_unpublished_stands_there(district: District, institution: Institution) -> None:
    full(institution, district)
    page = Client().get(reverse("directory:institution", args=[institution.pk])).content.decode()
    for member in institution.staff.all():
        for secret in (member.identity_digest, member.masked_identity, member.certificate_number):
            assert secret not in page
    for hidden in ("未公示者", "未备案课程", "bureau", district.bureau.display_name):
        assert hidden not in page
    assert "2345" in page


def test_without_a_permit_parents_are_warned(institution: Institution) -> None:
    page = Client().get(reverse("directory:institution", args=[institution.pk])).content.decode()
    assert "现在没有有效的办学许可" in page
    assert "没有有效许可" in Client().get(reverse("directory:home")).content.decode()


def test_the_directory_is_filtered(district: District, institution: Institution) -> None:
    other = make_institution(district.region, "某学科机构", category="academic", field="academic", street="南街道")
    other.state, other.state_reason = "suspended", "整顿"
    other.save()
    Listing.objects.create(institution=other, colour="black", since=MONDAY, reason="卷款", decided_by=district.bureau)
    for filters in ({"category": "academic"}, {"street": "南街道"}, {"state": "suspended"}, {"colour": "black"}, {"q": "南街"}):
        page = Client().get(reverse("directory:home"), filters, headers={"HX-Request": "true"}).content.decode()
        assert "某学科机构" in page, filters
        assert institution.name not in page, filters
    assert "没有找到这样的机构" in Client().get(reverse("directory:home"), {"q": "qqqq"}).content.decode()


def test_lists_show_days_and_reasons_of_those_taken_off_too(district: District, institution: Institution) -> None:
    Listing.objects.create(
        institution=institution, colour="black", since=MONDAY - datetime.timedelta(days=30), until=MONDAY, reason="虚假宣传",
        removal_reason="整改完成", decided_by=district.bureau,
    )  # fmt: skip
    page = Client().get(reverse("directory:lists"), {"colour": "black"}).content.decode()
    for said in (institution.name, "虚假宣传", "整改完成", "2026-10-17", "2026-11-16"):
        assert said in page
    assert "这个名单现在是空的" in Client().get(reverse("directory:lists")).content.decode()
    # On the day it is taken off it no longer counts as listed.
    assert institution.name not in Client().get(reverse("directory:home"), {"colour": "black"}).content.decode()


def test_pages_are_kept_by_caches_and_asked_for_by_etag(district: District, institution: Institution) -> None:
    client = Client()
    for address in (
        reverse("directory:home"), reverse("directory:lists"), reverse("directory:institution", args=[institution.pk]),
        reverse("directory:qr", args=[institution.pk]), reverse("directory:door", args=[institution.pk]),
    ):  # fmt: skip
        answer = client.get(address)
        assert "public" in answer["Cache-Control"], address
        assert "max-age=60" in answer["Cache-Control"]
        assert not answer.cookies
        assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    mine = signed_in(district.bureau).get(reverse("directory:home"))
    assert "private" in mine["Cache-Control"]


def test_the_sheet_for_the_door_bears_permit_and_code(district: District, institution: Institution) -> None:
    full(institution, district)
    page = Client().get(reverse("directory:door", args=[institution.pk])).content.decode()
    assert institution.permits.get().number in page
    drawing = Client().get(reverse("directory:qr", args=[institution.pk]))
    assert drawing["Content-Type"] == "image/svg+xml"
    assert b"<svg" in drawing.content
    assert Client().get(reverse("directory:institution", args=[0])).status_code == 404


def test_as_many_queries_for_few_as_for_many(district: District, institution: Institution) -> None:
    full(institution, district)
    pages = [reverse("directory:home"), reverse("directory:institution", args=[institution.pk]), reverse("directory:lists")]
    counts = []
    for number in (1, 8):
        for at in range(number):
            made = make_institution(district.region)
            make_permit(made, None, district.bureau)
            Listing.objects.create(institution=made, colour="white", since=MONDAY, reason="优秀", decided_by=district.bureau)
            make_staff(institution)
            make_permit(institution, make_premises(institution, f"点{number}-{at}"), district.bureau)
            make_course(institution, None, f"课{number}-{at}")
        for page in pages:
            with CaptureQueriesContext(connection) as seen:
                Client().get(page)
            counts.append(len(seen))
    assert counts[:3] == counts[3:]
