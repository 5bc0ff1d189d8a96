"""Where this installation's facts come from: one SELECT per recorded fact kind, named by the domain app that keeps the records.

An app lists its sources in its ``facts.py`` and registers them when it is ready. They stand in the database as views
``facts_<kind>``; migrations find them gone and they are made anew after the last one, so that no view holds up a change of a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.urls import reverse

from qingdan.policy.compiler import SQL_TYPES
from qingdan.policy.packs import default_pack

#: Setting of a connection or transaction by which a view of facts can be asked about another day than today.
DAY_OF_FACTS = "qingdan.day_of_facts"
#: In a source's SELECT: the day its facts are of, today in China unless :data:`DAY_OF_FACTS` says otherwise.
TODAY = f"COALESCE(NULLIF(current_setting('{DAY_OF_FACTS}', TRUE), '')::date, CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date))"


@dataclass(frozen=True)
class FactSource:
    """The facts of one recorded kind."""

    kind: str
    #: A SELECT with ``row_id``, ``place``, ``organisation_id`` and what columns of the kind there are; it may have others besides,
    #: whole numbers by which a form's facts are found.
    select: str
    #: URL name of one record's page, which takes ``row_id``; empty where there is none.
    page: str = ""


_sources: dict[str, FactSource] = {}


def register(*sources: FactSource) -> None:
    """Add sources; a kind has one."""
    for source in sources:
        assert _sources.setdefault(source.kind, source) == source, f"{source.kind} has two sources"


def fact_sources() -> dict[str, FactSource]:
    """Kind -> source."""
    return dict(sorted(_sources.items()))


def page_of(kind: str, row_id: int) -> str:
    """The address of a record's page, or nothing."""
    source = _sources.get(kind)
    return reverse(source.page, args=[row_id]) if source is not None and source.page else ""


def view_sql(source: FactSource, columns: set[str]) -> str:
    """The view of a source whose SELECT has the given columns; columns of the kind that it lacks are there and empty."""
    kind = default_pack().vocabulary.kinds[source.kind]
    absent = [
        f"CAST(NULL AS {SQL_TYPES[column.type].replace('VARCHAR', 'text')}) AS {name}"
        for name, column in kind.columns.items()
        if name not in columns
    ]
    return f'CREATE VIEW "facts_{source.kind}" AS SELECT {", ".join(["s.*", *absent])} FROM ({source.select}) AS s'


def drop_views(using: str = "default", **kwargs: Any) -> None:
    """Before migrations: no view of facts stands in the way."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = current_schema() AND viewname LIKE 'facts\\_%%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP VIEW "{name}" CASCADE')


def make_views(using: str = "default", **kwargs: Any) -> None:
    """After migrations: the views of all sources, as the code has them."""
    drop_views(using)
    with connections[using].cursor() as cursor:
        for source in fact_sources().values():
            cursor.execute(f"SELECT * FROM ({source.select}) AS s LIMIT 0")
            cursor.execute(view_sql(source, {column.name for column in cursor.description or ()}))
