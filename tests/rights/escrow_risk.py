"""Who may open warnings, risk files, complaints, doors and books."""

from __future__ import annotations

from collections.abc import Callable

from qingdan.escrow.actions.scoring import score_all
from qingdan.escrow.models import Complaint, RiskStep
from qingdan.institutions.models import Institution
from qingdan.ledger.models import Book
from tests.district import MONDAY
from tests.escrow.making import make_agreement, make_contract
from tests.escrow.risking import make_bank_line
from tests.institutions.making import LONG_AGO, credit_code
from tests.rights.table import Row, World


def prepare(world: World) -> None:
    """The parent of the first school has paid a contract of the cast's institution, has complained, and it has been scored."""
    district, clerk = world.district, world.institution
    owner, parent = clerk.employer, district.first.parent
    owner.region_code = district.region.code
    owner.save()
    Institution.objects.create(
        organisation=owner, region=district.region, credit_code=credit_code(900_004), legal_person="王示例", registration="non_profit",
        category="non_academic", field="culture", audience="compulsory", department="culture", registered_on=LONG_AGO,
    )  # fmt: skip
    agreement = make_agreement(owner, district.bureau)
    contract = make_contract(agreement, parent, clerk)
    line = make_bank_line(agreement, -9_000_000)
    line.is_large = True
    line.save()
    step = RiskStep.objects.create(institution=owner, kind="plan", text="定方案", due_on=MONDAY, responsible="李", made_by=district.bureau)
    complaint = Complaint.objects.create(contract=contract, made_by=parent, text="停课了")
    score_all()
    book = Book.objects.get()
    world.records = {
        "institution": owner.pk, "contract": contract.pk, "line": line.pk, "step": step.pk, "complaint": complaint.pk, "book": book.pk,
        "account": book.accounts.get(code="families").pk,
    }  # fmt: skip


def of(name: str, *more: str) -> Callable[[World], tuple[object, ...]]:
    """The record of this name."""
    return lambda world: (world.records[name], *more)


OFFICER = {"bureau": 200}
CHART: Callable[[World], tuple[object, ...]] = lambda world: ("cover",)  # noqa: E731

ROWS = {
    "escrow:risks": Row(OFFICER),
    "escrow:risks_export": Row(OFFICER),
    "escrow:risks_reckon": Row({"bureau": 302}, method="post"),
    "escrow:risk_weights": Row(OFFICER),
    "escrow:risk": Row(OFFICER, args=of("institution")),
    "escrow:risk_step": Row({"bureau": 422}, method="post", args=of("institution")),
    "escrow:risk_step_done": Row({"bureau": 302}, method="post", args=of("step")),
    "escrow:risk_pause": Row({"bureau": 422}, method="post", args=of("institution")),
    "escrow:risk_chart": Row(OFFICER, args=of("institution", "history")),
    "escrow:complaints": Row(OFFICER | {"parent": 200, "second_parent": 200}),
    "escrow:complaint_answer": Row({"bureau": 422}, method="post", args=of("complaint")),
    "escrow:complain": Row({"parent": 200}, args=of("contract")),
    "escrow:watch": Row(OFFICER),
    "escrow:watch_chart": Row(OFFICER, args=CHART),
    "escrow:watch_table": Row(OFFICER, args=CHART),
    "escrow:desk": Row({"institution": 200}),
    "escrow:flows": Row(OFFICER),
    "escrow:flow_circulate": Row({"bureau": 422}, method="post", args=of("line")),
    "escrow:ledgers": Row(OFFICER),
    "escrow:ledger": Row(OFFICER, args=of("book")),
    "escrow:ledger_verify": Row(OFFICER, method="post", args=of("book")),
    "escrow:ledger_accounts": Row(OFFICER, args=of("book")),
    "escrow:ledger_account": Row(OFFICER, args=of("account")),
}
