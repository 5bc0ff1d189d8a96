"""The menu leads nowhere that does not exist."""

from __future__ import annotations

import pytest
from django.urls import reverse

from qingdan.accounts.models import User
from qingdan.web.doors import doors_for, more_doors_for
from tests.district import District, signed_in
from tests.institutions.applying import make_applicant, make_department


def test_every_door_of_every_role_opens(district: District, operator: User) -> None:
    school = district.first
    users = [district.bureau, school.leader, school.teacher, school.parent, operator]
    users += [make_department(district.region, "culture"), make_applicant(district.region)]
    for user in users:
        client = signed_in(user)
        home = client.get(reverse("home"))
        assert home.status_code == 200
        for door in (*doors_for(user), *more_doors_for(user)):
            assert client.get(door.url, follow=True).status_code == 200, (user.username, door.page)


@pytest.mark.parametrize("username", ["bureau", "leader", "operator", "officer_culture"])
def test_the_menu_is_short_and_the_rest_is_folded(username: str, district: District, operator: User) -> None:
    """What is looked up now and then stands below 更多; nothing stands in both."""
    make_department(district.region, "culture")
    user = district.first.leader if username == "leader" else User.objects.get(username=username)
    menu, rest = doors_for(user), more_doors_for(user)
    assert len(menu) <= 8
    assert not {door.page for door in menu} & {door.page for door in rest}
    page = signed_in(user).get(reverse("library:home")).content.decode()
    folded = page.partition('qd-folded"')[2].partition("</ul>")[0]
    assert [door.url in folded for door in rest] == [True] * len(rest)
    assert 'aria-current="true">政策库' in folded
