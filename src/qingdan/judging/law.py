"""The law in this database, and judging by it.

The tables that the compiled SELECTs join (``policy_*``, ``limits_*``) are written from the pack and the bureaus' calendars whenever
either has changed; a fingerprint tells. Facts are views ``facts_<kind>`` that the domain apps make in their migrations; besides the
kind's columns each has ``row_id``, ``place`` and ``organisation_id``.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from qingdan.judging.facts import fact_sources
from qingdan.judging.models import InstalledLaw
from qingdan.places.calendar import Calendars, current_calendars
from qingdan.policy.engines.postgres import Compiled, PostgresEngine
from qingdan.policy.findings import Explainer, Finding
from qingdan.policy.pack import Pack
from qingdan.policy.packs import default_fingerprint, default_pack
from qingdan.policy.provisions import Rule
from qingdan.policy.vocabulary import PLACE, FactKind

#: Any number that no other part of the house locks by.
_INSTALLING = 7_310_001


@dataclass(frozen=True)
class Judged:
    """One fact with what the law says of it."""

    kind: FactKind
    #: Of the record, or of the first record that a derived fact sums up.
    row_id: int
    place: str
    #: Column -> value.
    row: dict[str, Any]
    #: Breaches and undetermined ones; empty for a compliant fact.
    findings: tuple[Finding, ...]

    @property
    def breaches(self) -> tuple[Finding, ...]:
        """The findings that say no."""
        return tuple(finding for finding in self.findings if finding.verdict == "breach")

    @property
    def key(self) -> str:
        """What makes the fact the same tomorrow: a record's number, or the key of a sum."""
        if self.kind.derived is None:
            return f"{self.kind.name}:{self.row_id}"
        return f"{self.kind.name}:" + "|".join(str(self.row.get(name)) for name in self.kind.key)


class Law:
    """Pack, compiled SELECTs and explanations of one state of the law."""

    def __init__(self, calendars: Calendars) -> None:
        self.pack: Pack = calendars.pack
        self.explainer = Explainer(self.pack)
        connection.ensure_connection()
        self._engine = PostgresEngine(connection.connection, self.pack, self.pack.layers, compiled=_compiled(default_pack()))
        kinds = " ".join(sorted(fact_sources()))
        self.limits_fingerprint = hashlib.sha256(f"{default_fingerprint()}|{kinds}".encode()).hexdigest()
        self.places_fingerprint = hashlib.sha256(f"{default_fingerprint()}|{calendars.fingerprint}".encode()).hexdigest()

    @property
    def engine(self) -> PostgresEngine:
        """The engine on the connection of this thread; what has been compiled is shared."""
        connection.ensure_connection()
        engine = copy.copy(self._engine)
        engine.connection = connection.connection
        return engine

    def kind(self, name: str) -> FactKind:
        """A fact kind by its name."""
        return self.pack.vocabulary.kinds[name]

    def judge_touched(self, kind_name: str, *, every_fact: bool = False, **touched: object) -> list[Judged]:
        """Judge the facts whose columns (of the kind, or whole numbers of its view) have the given values."""
        kind = self.kind(kind_name)
        rows = self.engine.judge_touched(kind, tuple(touched), tuple(touched.values()), every_fact=every_fact)
        rules = self.engine.compiled(kind, tuple(touched), every_fact=every_fact).rules
        return [self._judged(kind, row, rules) for row in rows]

    def judge_all(self, kind_name: str) -> Iterator[Judged]:
        """Judge every fact of a kind: those that are not compliant throughout."""
        kind = self.kind(kind_name)
        rules = self.engine.rules(kind)
        for row in self.engine.judge(kind):
            yield self._judged(kind, row, rules)

    def _judged(self, kind: FactKind, row: dict[str, Any], rules: Sequence[Rule]) -> Judged:
        place = str(row[PLACE])
        findings = tuple(
            self.explainer.finding(rule, is_breach=row[f"v{index}"] is False, place=place, row=row)
            for index, rule in enumerate(rules)
            if row[f"v{index}"] is not True
        )
        facts = {name: row[name] for name in kind.columns if name in row}
        return Judged(kind, int(row["row_id"]), place, facts, findings)

    def recorded_kinds(self) -> list[FactKind]:
        """The kinds that this installation has facts of."""
        return [self.kind(name) for name in fact_sources()]

    def kinds_to_judge(self) -> list[FactKind]:
        """Recorded kinds and those summed up from them, where some rule looks at them."""
        return self.engine.compiler.kinds_to_judge([kind.name for kind in self.recorded_kinds()])

    def owners(self, kind: FactKind, row_ids: Sequence[int]) -> dict[int, int]:
        """Record -> the organisation it belongs to."""
        root = self.engine.compiler.root(kind)
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT row_id, organisation_id FROM "facts_{root.name}" WHERE row_id = ANY(%s)',  # noqa: S608 - a kind's checked name
                [list(row_ids)],
            )
            return dict(cursor.fetchall())

    def count(self, kind: FactKind) -> int:
        """How many facts of a recorded kind there are."""
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "facts_{kind.name}"')  # noqa: S608 - a kind's checked name
            (found,) = cursor.fetchone()
        return int(found)


@lru_cache(maxsize=2)
def _compiled(pack: Pack) -> Compiled:
    """The SELECTs of a pack; its calendars' days are not in them, so that a new calendar compiles nothing anew."""
    return {}


@lru_cache(maxsize=8)
def _law(calendars: Calendars) -> Law:
    return Law(calendars)


def current_law() -> Law:
    """The law of now, put into the database where it is not there yet.

    Two small queries when nothing has changed. Writing the tables anew locks them for a moment; whoever judges waits.
    """
    law = _law(current_calendars())
    if not _is_installed(law):
        install(law)
    return law


def _is_installed(law: Law) -> bool:
    return InstalledLaw.objects.filter(limits=law.limits_fingerprint, places=law.places_fingerprint).exists()


def install(law: Law) -> None:
    """Write calendar, places and limits into the database; one process does it, the others wait and find it done."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_INSTALLING])
        present, _ = InstalledLaw.objects.get_or_create(id=1)
        engine = law.engine
        if present.places != law.places_fingerprint:
            engine.install_places()
        if present.limits != law.limits_fingerprint:
            engine.install_limits(law.kinds_to_judge())
        present.places, present.limits = law.places_fingerprint, law.limits_fingerprint
        present.save()
