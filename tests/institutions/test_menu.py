"""The menu leads nowhere that does not exist."""

from __future__ import annotations

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
