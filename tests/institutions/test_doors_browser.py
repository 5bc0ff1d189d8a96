"""The home pages of an institution and of its bureau on a phone and on a desk, in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browsing import look, sign_in
from tests.district import MONDAY, District
from tests.institutions.finding import make_finding
from tests.institutions.making import make_staff
from tests.institutions.timetabling import make_school

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_home_page_to_the_record_and_from_the_map_to_the_finding(page: Page, district: District) -> None:
    school = make_school(district.region, district.bureau)
    school.session(MONDAY).save()
    teacher = make_staff(school.institution, "赵三", is_filed=False)
    make_finding(school.institution.organisation, row_id=teacher.pk, sentence="教师赵三没有备案")
    sign_in(page, school.clerk.username)
    page.goto(reverse("home"))
    expect(page.get_by_text("18:30–20:00")).to_be_visible()
    look(page)
    page.get_by_role("link", name="去改这条记录").click()
    expect(page.get_by_role("heading", name="赵三")).to_be_visible()
    sign_in(page, district.bureau.username)
    page.goto(reverse("home"))
    look(page)
    header = page.locator(".qd-header").bounding_box()
    assert header is not None
    assert header["height"] < 80  # the menu takes one line
    cell = page.locator(".doors-map tbody td a").first
    cell.scroll_into_view_if_needed()
    cell.click()
    expect(page.get_by_text("教师赵三没有备案")).to_be_visible()
    page.goto(reverse("institutions:charts"))
    expect(page.locator("#by-field img")).to_be_visible()
    look(page)
    for address in ("institutions:registry", "directory:home"):
        page.goto(reverse(address))
        look(page)
    for address in ("institutions:institution", "directory:institution"):
        page.goto(reverse(address, args=[school.institution.pk]))
        look(page)
