"""A write happens once for each key."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.utils import timezone

from qingdan.accounts.actions import purge_answers
from qingdan.accounts.models import IdempotentAnswer
from qingdan.homework.actions import register
from qingdan.homework.actions.register import enter
from qingdan.homework.models import Homework
from tests.api.conftest import item, program, told
from tests.district import District, homework, make_district


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(district: District) -> None:
    school = district.first
    teacher, body = program(school.teacher), {"items": [item(school.class_32.pk)]}
    first, again = teacher.post("homework", body, "key-once"), teacher.post("homework", body, "key-once")
    assert first.status_code == again.status_code == 201
    assert told(first) == told(again)
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Homework.objects.count() == 1


def test_a_refusal_is_answered_again_too_and_a_new_key_tries_anew(district: District) -> None:
    school = district.first
    (other,) = enter([homework(school.class_32, school.other_teacher, "语文", 50)], by=school.other_teacher)
    teacher, body = program(school.teacher), {"items": [item(school.class_32.pk, 20)]}
    refused = teacher.post("homework", body, "key-refused")
    assert refused.status_code == 422
    register.withdraw(other, by=school.other_teacher)
    assert told(teacher.post("homework", body, "key-refused")) == told(refused)
    assert teacher.post("homework", body, "key-another").status_code == 201


def test_a_key_serves_one_request_only(district: District) -> None:
    school = district.first
    teacher = program(school.teacher)
    teacher.post("homework", {"items": [item(school.class_32.pk)]}, "key-taken")
    response = teacher.post("homework", {"items": [item(school.class_31.pk)]}, "key-taken")
    assert response.status_code == 409
    assert told(response)["code"] == "key_reused"
    assert Homework.objects.count() == 1


def test_two_tokens_may_use_the_same_key(district: District) -> None:
    school = district.first
    assert program(school.teacher).post("homework", {"items": [item(school.class_32.pk)]}, "key-common").status_code == 201
    body = {"items": [item(school.class_32.pk, subject="语文")]}
    assert program(school.other_teacher).post("homework", body, "key-common").status_code == 201


def test_a_write_without_a_key_is_refused(district: District) -> None:
    teacher = program(district.first.teacher)
    headers = {"Authorization": f"Bearer {teacher.secret}"}
    response = teacher.client.post("/api/homework", "{}", content_type="application/json", headers=headers)
    assert response.status_code == 422
    assert {"field": "header.Idempotency-Key", "message": "必填"} in told(response)["details"]  # type: ignore[arg-type]


def test_after_a_fault_the_key_is_free_for_another_try(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    school = district.first
    teacher, body = program(school.teacher), {"items": [item(school.class_32.pk)]}
    with monkeypatch.context() as patched:

        def break_down(*args: object, **kwargs: object) -> None:
            raise RuntimeError

        patched.setattr("qingdan.homework.actions.register.enter", break_down)
        assert teacher.post("homework", body, "key-broken").status_code == 500
    assert not Homework.objects.exists()
    assert teacher.post("homework", body, "key-broken").status_code == 201


def test_old_answers_are_forgotten(district: District) -> None:
    school = district.first
    teacher = program(school.teacher)
    teacher.post("homework", {"items": [item(school.class_32.pk)]}, "key-of-old")
    assert purge_answers() == 0
    IdempotentAnswer.objects.update(created_at=timezone.now() - datetime.timedelta(days=3, seconds=1))
    assert purge_answers() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is held in the middle of its work while the second comes: that one is told to ask again, and then gets the answer."""
    school = make_district().first
    teacher, body = program(school.teacher), {"items": [item(school.class_32.pk)]}
    begun, may_go_on = threading.Event(), threading.Event()
    whole = register.enter

    def slowly(*args: object, **kwargs: object) -> object:
        begun.set()
        assert may_go_on.wait(20)
        return whole(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("qingdan.homework.actions.register.enter", slowly)
    answers: list[HttpResponse] = []

    def send() -> None:
        try:
            answers.append(teacher.post("homework", body, "key-of-two"))
        finally:
            connections.close_all()

    first = threading.Thread(target=send)
    first.start()
    assert begun.wait(20)
    second = program(school.teacher)
    second.secret = teacher.secret
    waiting = second.post("homework", body, "key-of-two")
    assert waiting.status_code == 409
    assert told(waiting)["code"] == "in_progress"
    assert waiting["Retry-After"] == "1"
    may_go_on.set()
    first.join(30)
    assert [each.status_code for each in answers] == [201]
    again = second.post("homework", body, "key-of-two")
    assert told(again) == told(answers[0])
    assert Homework.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_server_that_died_in_the_middle_leaves_the_key_free() -> None:
    school = make_district().first
    teacher, body = program(school.teacher), {"items": [item(school.class_32.pk)]}
    teacher.post("homework", body, "key-of-dead")
    # As it stands when the process ends between taking the key and keeping the answer.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_idempotentanswer SET status = NULL, body = NULL")
        cursor.execute("DELETE FROM homework_homework")
    assert teacher.post("homework", body, "key-of-dead").status_code == 201
    assert Homework.objects.count() == 1
