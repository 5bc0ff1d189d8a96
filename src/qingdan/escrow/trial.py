"""What the law says of a contract before it is signed, and of a fee before it is filed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from qingdan.accounts.models import Organisation
from qingdan.escrow.facts import TRIAL
from qingdan.escrow.models import Contract
from qingdan.judging.facts import DAY_OF_FACTS
from qingdan.judging.law import Judged, Law, current_law
from qingdan.places.calendar import current_pack, today
from qingdan.policy.findings import Finding
from qingdan.policy.pack import OutsideDates
from qingdan.policy.telling import Told

#: Kinds of which the contract itself is the fact.
_OWN_KINDS = ("prepayment", "prepayment_day", "training_contract")
#: What is asked of the other side: only rules that look at these columns, for a contract is no inspection of the institution.
_OF_INSTITUTION = {"institution": {"has_permit"}, "training_course": {"is_within_permit", "is_filed", "is_target_filed"}}
#: Rules of fees that speak of an amount; the others (filed, published) are what filing is for.
AMOUNTS = {"judged_price_fen", "guided_price_fen"}


@dataclass(frozen=True)
class Opinion:
    """What the law says."""

    #: Breaches: with one of them nobody signs.
    objections: tuple[Told, ...]
    #: What the law cannot say yes or no to.
    notes: tuple[Told, ...]


@contextmanager
def on_trial(contract: Contract | None = None) -> Iterator[Law]:
    """Inside, the facts are of the house's today, and the contract is one of them whatever its state."""
    law = current_law()
    with transaction.atomic():
        _execute(
            f"SELECT set_config('{TRIAL}', %s, TRUE), set_config('{DAY_OF_FACTS}', %s, TRUE)",
            str(contract.pk if contract else ""),
            str(today()),
        )
        yield law
        _execute(f"SET LOCAL {TRIAL} TO DEFAULT; SET LOCAL {DAY_OF_FACTS} TO DEFAULT")


def _execute(statement: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def opinion_of(contract: Contract) -> Opinion:
    """What the law says of a contract as it stands in the database, were it signed today; of a signed one, by its own days.

    Fee, permit and course are asked only before it is signed: what becomes of them afterwards is no matter of this contract.
    """
    with on_trial(None if contract.is_signed else contract) as law:
        judged = [each for kind in _OWN_KINDS for each in law.judge_touched(kind, row_id=contract.pk)]
        if not contract.is_signed:
            judged += law.judge_touched("fee_item", row_id=contract.course_number)
        found = [finding for each in judged for finding in each.findings]
        if not contract.is_signed:
            found += _of_institution(law, contract)
        return Opinion(
            tuple(Told.of(each, law.pack) for each in found if each.verdict == "breach"),
            tuple(Told.of(each, law.pack) for each in found if each.verdict != "breach" and _is_worth_a_note(law, each)),
        )


def _of_institution(law: Law, contract: Contract) -> list[Finding]:
    asked = (("institution", contract.institution_id), ("training_course", contract.course_number))
    return [
        finding
        for kind, row_id in asked
        for each in law.judge_touched(kind, row_id=row_id)
        for finding in each.findings
        if _OF_INSTITUTION[kind] & set(law.pack.columns_of(finding.rule))
    ]


def _is_worth_a_note(law: Law, finding: Finding) -> bool:
    """Whether somebody could find out what is missing: a column that no contract here ever fills is not worth a word."""
    return not _NEVER_KNOWN & set(law.pack.columns_of(finding.rule))


#: What an inspection finds, never a contract.
_NEVER_KNOWN = {"is_disguised"}


def longest_span(organisation: Organisation) -> str:
    """For how long a time at once fees may be taken where an institution is, in words; empty where nothing is set."""
    try:
        return current_pack().value("prepaid.months", at=organisation.layer_code, on=today()).text
    except OutsideDates:
        return ""


def objections_to_fee(judged: list[Judged], law: Law) -> list[Told]:
    """Of what was judged about a course's fee, the breaches that speak of its amount."""
    breaches = [finding for each in judged for finding in each.breaches]
    return [Told.of(each, law.pack) for each in breaches if AMOUNTS & set(law.pack.columns_of(each.rule))]
