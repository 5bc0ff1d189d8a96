"""How tests that commit leave the database behind: as every test finds it.

Django would empty each of the house's tables, write permissions and views anew, and leave the law to be installed again, a second
in all. Most tables are empty anyway, and what the migrations wrote can stay: this takes some hundredths.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

from qingdan.judging.law import Law, install
from qingdan.judging.models import InstalledLaw
from qingdan.schools.models import Subject

#: Written by migrations and by :func:`install`; tests add nothing to them.
KEPT = {model._meta.db_table for model in (ContentType, Permission, Subject, InstalledLaw)}


def empty_quickly(law: Law) -> None:
    """From now on tests that commit are followed by this, with the law of the district in force again."""

    def _fixture_teardown(self: TransactionTestCase) -> None:
        empty()
        install(law)

    TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]


def empty() -> None:
    """Delete every row of the house's tables, whatever guards them: triggers and references sleep meanwhile."""
    names = [name for name in connection.introspection.django_table_names(only_existing=True, include_views=False) if name not in KEPT]
    quoted = {name: connection.ops.quote_name(name) for name in names}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (TABLE {table})" for name, table in quoted.items()))
        filled: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SET LOCAL session_replication_role = replica")
        for (name,) in filled:
            cursor.execute(f"DELETE FROM {quoted[name]}")
