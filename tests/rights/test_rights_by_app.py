"""Every row of every app's table, for every role; each request is taken back before the next."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

import tests.rights
from tests.district import MONDAY, signed_in
from tests.rights.table import NOBODY, ROLES, make_world

MODULES: dict[str, ModuleType] = {
    each.name: importlib.import_module(f"tests.rights.{each.name}")
    for each in pkgutil.iter_modules(tests.rights.__path__)
    if each.name != "table" and not each.name.startswith("test_")
}
CASES = [(name, url) for name, module in MODULES.items() for url in module.ROWS]


@pytest.mark.parametrize(("module", "url"), CASES)
def test_each_role_gets_what_the_table_says(module: str, url: str, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)
    world = make_world()
    row = MODULES[module].ROWS[url]
    if prepare := getattr(MODULES[module], "prepare", None):
        prepare(world)
    address = reverse(url, args=row.args(world))
    got = {}
    for role in ROLES:
        user = world.user(role)
        with transaction.atomic():
            client = Client() if user is None else signed_in(user)
            got[role] = getattr(client, row.method)(address, row.data(world)).status_code
            transaction.set_rollback(True)
    assert got == {role: row.expected(role) for role in ROLES}
    assert NOBODY in got
