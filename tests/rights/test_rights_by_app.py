"""Every row of every app's table, for every role; each request is taken back before the next."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

import tests.rights
from tests.district import MONDAY, signed_in
from tests.rights.table import NOBODY, ROLES, World, make_world

MODULES: dict[str, ModuleType] = {
    each.name: importlib.import_module(f"tests.rights.{each.name}")
    for each in pkgutil.iter_modules(tests.rights.__path__)
    if each.name != "table" and not each.name.startswith("test_")
}
CASES = [(name, url) for name, module in MODULES.items() for url in module.ROWS]
#: Role -> the cookie of somebody signed in.
Cookies = dict[str, str]


@contextlib.contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is written inside has not been written."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database for all tests here, in place of a transaction for each."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def worlds(db: None) -> Iterator[Callable[[str], tuple[World, Cookies]]]:
    """The world of a part of the table, in which all have signed in: made once and kept until another part's is asked for."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as held:
        patch.setattr("qingdan.places.calendar.clock", lambda: MONDAY)
        made: dict[str, tuple[World, Cookies]] = {}

        def of(part: str) -> tuple[World, Cookies]:
            if part not in made:
                held.close()
                made.clear()
                held.enter_context(taken_back())
                world = make_world()
                if prepare := getattr(MODULES[part], "prepare", None):
                    prepare(world)
                users = {role: world.user(role) for role in ROLES}
                name = settings.SESSION_COOKIE_NAME
                made[part] = world, {role: signed_in(user).cookies[name].value for role, user in users.items() if user is not None}
            return made[part]

        yield of


@pytest.mark.parametrize(("part", "url"), CASES)
def test_each_role_gets_what_the_table_says(part: str, url: str, worlds: Callable[[str], tuple[World, Cookies]]) -> None:
    world, cookies = worlds(part)
    row = MODULES[part].ROWS[url]
    got = {}
    with taken_back():
        address = reverse(url, args=row.args(world))
        for role in ROLES:
            with taken_back():
                client = Client()
                client.cookies.load({settings.SESSION_COOKIE_NAME: cookies[role]} if role in cookies else {})
                got[role] = getattr(client, row.method)(address, row.data(world)).status_code
    assert got == {role: row.expected(role) for role in ROLES}
    assert NOBODY in got
