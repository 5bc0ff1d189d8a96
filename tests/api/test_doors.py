"""Tokens, scopes, problems and the description, for every operation at once."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from qingdan.accounts.enums import SCOPES_OF_ROLE, Role, Scope
from qingdan.accounts.models import ApiToken
from tests.api.conftest import Program, item, program, told
from tests.district import District, signed_in

DOCUMENT: dict[str, Any] = {}


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    response = Client().get(reverse("api:openapi-json"))
    assert response.status_code == 200
    return dict(response.json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def address(path: str) -> str:
    return (
        path.replace("{class_id}", "1")
        .replace("{day}", "2026-11-17")
        .replace("{homework_id}", "1")
        .replace("{disclosure_id}", "1")
        .replace("{finding_id}", "1")
    )


def test_every_operation_is_described_in_chinese_with_scope_and_answers(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.")
    assert len(operations(document)) == 13
    names = [each["operationId"] for _, _, each in operations(document)]
    assert len(names) == len(set(names))
    for path, method, each in operations(document):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each["summary"]), path
        assert each["description"]
        assert each["x-scope"] in Scope.values
        assert each["security"] == [{"Token": [each["x-scope"]]}]
        assert {"401", "403", "404", "422"} < set(each["responses"])
        is_write = method != "get"
        assert is_write == each["x-scope"].endswith(":write")
        assert is_write == any(parameter["name"] == "Idempotency-Key" and parameter["required"] for parameter in each["parameters"])
        for parameter in each["parameters"]:
            assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])


def test_the_description_holds_together(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    for shape in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(shape)
    assert document["components"]["securitySchemes"]["Token"]["scheme"] == "bearer"
    assert {"{" + each["name"] + "}" for path, _, op in operations(document) for each in op["parameters"] if each["in"] == "path"} == {
        part for path in document["paths"] for part in path.split("/") if part.startswith("{")
    }


def test_answers_are_as_described(document: dict[str, Any], district: District) -> None:
    school = district.first
    shape = {"$ref": "#/components/schemas/Entered", "components": document["components"]}
    answer = told(program(school.teacher).post("homework", {"items": [item(school.class_32.pk)]}))
    Draft202012Validator(shape).validate(answer)
    problem = told(program(school.teacher).post("homework", {"items": [item(school.class_32.pk, 61)]}))
    Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": document["components"]}).validate(problem)


def test_no_operation_opens_without_a_token_or_by_a_session(document: dict[str, Any], district: District) -> None:
    for path, method, _ in operations(document):
        for client in (Client(), signed_in(district.first.leader)):
            response: Any = client.generic(method.upper(), address(path))
            assert response.status_code == 401, path
            assert told(response)["code"] == "unauthorized"
            assert response["WWW-Authenticate"].startswith("Bearer")


def test_each_operation_asks_for_its_own_scope(document: dict[str, Any], district: District) -> None:
    leader = district.first.leader
    for path, method, each in operations(document):
        others = [scope for scope in SCOPES_OF_ROLE[Role.SCHOOL_LEADER] if scope != each["x-scope"]]
        response = program(leader, *others).send(method.upper(), address(path).removeprefix("/api/"), {})
        assert response.status_code == 403, path
        assert each["x-scope"] in told(response)["message"]


def test_a_token_opens_no_more_than_the_role(district: District) -> None:
    """A teacher who was a leader when the token was issued."""
    teacher = district.first.teacher
    assert program(teacher, Scope.FINDINGS_READ).get("findings").status_code == 403


@pytest.mark.parametrize("end", ["revoked", "expired", "switched off", "unknown"])
def test_a_token_that_is_no_longer_good_opens_nothing(district: District, end: str) -> None:
    caller = program(district.first.teacher)
    assert caller.get("homework").status_code == 200
    token = ApiToken.objects.get()
    if end == "revoked":
        token.revoke()
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    elif end == "switched off":
        token.user.is_active = False
        token.user.save()
    else:
        caller = Program("qd_wrong")
    assert caller.get("homework").status_code == 401


def test_the_last_use_is_noted_at_most_once_a_minute(district: District) -> None:
    caller = program(district.first.teacher)
    caller.get("homework")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    caller.get("homework")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - datetime.timedelta(seconds=61))
    caller.get("homework")
    noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    assert noted >= first


def test_a_wrong_address_or_method_is_told_as_json(district: District) -> None:
    caller = program(district.first.teacher)
    assert told(caller.get("nothing/here"))["code"] == "not_found"
    response = caller.send("DELETE", "homework")
    assert response.status_code == 405
    assert told(response)["code"] == "method_not_allowed"
    assert "POST" in response["Allow"]


def test_a_fault_of_the_server_is_told_without_its_inner_parts(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret inner part")

    monkeypatch.setattr("qingdan.homework.actions.register.day_total", break_down)
    response = program(district.first.teacher).get(f"classes/{district.first.class_32.pk}/days/2026-11-17")
    assert response.status_code == 500
    assert "secret" not in response.content.decode()


def test_the_page_shows_every_operation(document: dict[str, Any]) -> None:
    page = Client().get(reverse("api:home")).content.decode()
    for path, _, each in operations(document):
        assert f'id="{each["operationId"]}"' in page
        assert path in page
    assert "必填" in page
    assert "Idempotency-Key" in page
    assert "<script>" not in page
