"""Of two who save the same at once, the slower one is refused in words; the check before the save saw nothing of the other yet."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from django.db import connection, connections, models, transaction
from django.urls import reverse

from qingdan.accounts.identity import digest
from qingdan.accounts.models import Organisation, User
from qingdan.institutions.actions.permits import Grant, approve
from qingdan.institutions.models import Course, Institution, Permit, Room, Staff
from qingdan.storage.refusals import in_words
from tests.district import MONDAY, District, signed_in
from tests.institutions.applying import lead_to, make_applicant, make_application
from tests.institutions.making import make_course, make_institution, make_permit, make_premises, make_room, make_staff
from tests.institutions.test_courses import filled as filled_course
from tests.institutions.test_registry import data as filled_institution
from tests.institutions.test_staff import NUMBER
from tests.institutions.test_staff import filled as filled_staff


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks before a save see nothing of what another has just saved: the database alone knows."""
    for name in ("validate_unique", "validate_constraints"):
        monkeypatch.setattr(models.Model, name, lambda record, *args, **kwargs: None)


def refused(answer: Any, words: str) -> None:
    """The page is the form again, with the sentence."""
    assert answer.status_code == 400
    assert words in answer.content.decode()


@pytest.mark.usefixtures("unseen")
def test_a_person_entered_twice(institution: Institution, operator: User) -> None:
    make_staff(institution, identity_digest=digest(NUMBER))
    refused(signed_in(operator).post(reverse("institutions:staff_new"), filled_staff()), "这个人已在本机构的在职名单里")
    assert Staff.objects.count() == 1


@pytest.mark.usefixtures("unseen")
def test_a_course_written_twice_keeps_no_material(institution: Institution, operator: User, district: District) -> None:
    permit = make_permit(institution, make_premises(institution), district.bureau)
    given = filled_course(permit)
    make_course(institution, permit, name=given["name"], starts_on=datetime.date.fromisoformat(given["starts_on"]))
    refused(signed_in(operator).post(reverse("institutions:course_new"), given), "本机构已有同名、同日开课的课程")
    assert Course.objects.count() == 1


@pytest.mark.usefixtures("unseen")
def test_a_room_added_twice_or_renamed_to_another(institution: Institution, operator: User) -> None:
    premises = make_premises(institution)
    make_room(premises, "101")
    other = make_room(premises, "102")
    client, given = signed_in(operator), {"premises": premises.pk, "name": "101", "seats": "20"}
    refused(client.post(reverse("institutions:rooms"), given), "这个教学点已有同名的教室")
    refused(client.post(reverse("institutions:room", args=[other.pk]), given), "这个教学点已有同名的教室")
    assert set(Room.objects.values_list("name", flat=True)) == {"101", "102"}


@pytest.mark.usefixtures("unseen")
def test_a_permit_number_given_twice_approves_nothing(district: District) -> None:
    by = make_applicant(district.region)
    application = lead_to(make_application(by), "to_decide", by=by, officer=district.bureau)
    held = make_permit(make_institution(district.region), None, district.bureau, number="教民1")
    given = {"number": held.number, "scope": "书画", "starts_on": "2026-12-01", "ends_on": "2029-11-30", "reason": "符合条件"}
    answer = signed_in(district.bureau).post(reverse("institutions:application_approve", args=[application.pk]), given)
    refused(answer, "这个许可证号已经用过")
    application.refresh_from_db()
    assert (application.state, Permit.objects.count()) == ("to_decide", 1)
    assert not Institution.objects.filter(organisation=by.employer).exists()


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize(
    ("change", "words"), [({"name": "示例艺术培训中心"}, "已有同名的单位"), ({"credit_code": ""}, "已有机构用这个统一社会信用代码")]
)
def test_an_institution_registered_twice(district: District, institution: Institution, change: dict[str, str], words: str) -> None:
    given = filled_institution(region=str(district.region.pk)) | {k: v or institution.credit_code for k, v in change.items()}
    refused(signed_in(district.bureau).post(reverse("institutions:institution_new"), given), words)
    assert Institution.objects.count() == 1
    assert not Organisation.objects.filter(name="新芽艺术培训中心").exists()


def test_any_other_refusal_by_the_database_stays_what_it_is(institution: Institution) -> None:
    make_staff(institution, identity_digest="a" * 64)
    with pytest.raises(Exception, match="staff_once_while_employed"), in_words(Room):
        make_staff(institution, identity_digest="a" * 64)


@pytest.mark.django_db(transaction=True)
def test_two_officers_give_one_number_in_two_transactions(district: District) -> None:
    first, second = (make_applicant(district.region, name) for name in ("甲艺术中心", "乙艺术中心"))
    waiting = [lead_to(make_application(by), "to_decide", by=by, officer=district.bureau) for by in (first, second)]
    grant = Grant("教民1", "书画", MONDAY, datetime.date(2029, 11, 15))
    said: list[Any] = []
    with transaction.atomic():
        approve(application=waiting[0], by=district.bureau, reason="同意", grant=grant)
        slower = threading.Thread(target=_approve_too, args=(waiting[1], district.bureau, grant, said))
        slower.start()
        _wait_until_somebody_waits()
    slower.join(20)
    assert ["这个许可证号已经用过" in text for text in said] == [True]
    assert Permit.objects.count() == 1


def _approve_too(application: Any, by: User, grant: Any, said: list[Any]) -> None:
    try:
        approve(application=application, by=by, reason="同意", grant=grant)
        said.append("approved")
    except Exception as error:
        said.append(str(error))
    finally:
        connections.close_all()


def _wait_until_somebody_waits() -> None:
    """Until another connection stands still because of this one's transaction."""
    stopped = threading.Event()
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
            if cursor.fetchone()[0]:
                return
        stopped.wait(0.05)
    raise AssertionError("the second transaction never waited for the first")
