"""A small district on a fixed day, and programs with tokens."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from qingdan.accounts.enums import SCOPES_OF_ROLE
from qingdan.accounts.models import ApiToken, User
from tests.district import MONDAY, TUESDAY, District, make_district

_keys = itertools.count(1)


@pytest.fixture(autouse=True)
def school_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is MONDAY, wherever the house asks."""
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)


@pytest.fixture
def district(db: None) -> District:
    """A bureau and two schools."""
    return make_district()


@dataclass
class Program:
    """Calls the API with a token of a user; every write gets a new key unless one is given."""

    secret: str
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(f"/api/{path}", query, headers={"Authorization": f"Bearer {self.secret}"})  # type: ignore[return-value]

    def send(self, method: str, path: str, body: Any = None, key: str = "") -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key or f"key-{next(_keys):06}"}
        data = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        return self.client.generic(method, f"/api/{path}", data, content_type="application/json", headers=headers)  # type: ignore[return-value]

    def post(self, path: str, body: Any = None, key: str = "") -> HttpResponse:
        return self.send("POST", path, body, key)


def program(user: User, *scopes: str) -> Program:
    """A program of a user, with all scopes of the role unless told."""
    _, secret = ApiToken.issue(user, name=f"program {next(_keys)}", scopes=list(scopes or SCOPES_OF_ROLE[user.role]), days=30)
    return Program(secret)


def item(class_id: int, minutes: int = 20, **values: Any) -> dict[str, Any]:
    """Homework for Tuesday as a program writes it."""
    given = {"class_id": class_id, "on_date": TUESDAY.isoformat(), "subject": "数学", "content": "练习", "homework_minutes": minutes}
    return given | values


def told(response: HttpResponse) -> Any:
    """The answer's body."""
    assert response["Content-Type"].startswith("application/json"), response.content[:300]
    return json.loads(response.content)
