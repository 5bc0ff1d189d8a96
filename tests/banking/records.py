"""Instructions and statements for the tests, one by one and as strategies; all names fictional."""

from __future__ import annotations

import datetime

from hypothesis import strategies as st

from qingdan.banking import Answer, Instruction, Line, Purpose, Statement, Status
from qingdan.banking.messages import plain

MONDAY = datetime.date(2026, 11, 16)
TUESDAY, WEDNESDAY = datetime.date(2026, 11, 17), datetime.date(2026, 11, 18)
CUSTODY, SETTLEMENT, FAMILY = "62001000000000001", "62002000000000002", "62003000000000003"
WRITTEN_AT = datetime.datetime(2026, 11, 17, 0, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))


def instruction(reference: str = "QD-1", **changed: object) -> Instruction:
    """60 yuan from custody to the institution for a lesson, unless changed."""
    told: dict[str, object] = {
        "purpose": Purpose.RELEASE,
        "amount_fen": 6000,
        "from_account": CUSTODY,
        "to_account": SETTLEMENT,
        "to_name": "青禾艺术（虚构）",
        "remittance": "11 月 16 日课消 1 课时",
        "requested_on": MONDAY,
    }
    return Instruction(reference, **(told | changed))  # type: ignore[arg-type]


def line(bank_reference: str = "YH1", amount_fen: int = 120_000, **changed: object) -> Line:
    """A family's payment, unless changed."""
    told: dict[str, object] = {
        "reference": "O-1",
        "booked_on": MONDAY,
        "valued_on": MONDAY,
        "counterparty_name": "王小明家长（虚构）",
        "counterparty_account": FAMILY,
        "remittance": "美术课 20 课时",
    }
    return Line(bank_reference=bank_reference, amount_fen=amount_fen, **(told | changed))  # type: ignore[arg-type]


def statement(*lines: Line, number: int = 1, day: datetime.date = MONDAY, opening_fen: int = 0, account: str = CUSTODY) -> Statement:
    """The statement of a day with these lines; its sum agrees."""
    closing_fen = opening_fen + sum(each.amount_fen for each in lines)
    return Statement(f"{day:%Y%m%d}-{number}", account, number, WRITTEN_AT, day, day, opening_fen, closing_fen, lines)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=140).map(plain)
names = texts.filter(bool)
references = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", fullmatch=True).filter(
    lambda text: text not in {"NOTPROVIDED", "NOTAVAILABLE"}
)
accounts = st.from_regex(r"[0-9]{8,34}", fullmatch=True)
amounts = st.integers(1, 10**14)
days = st.dates(datetime.date(2021, 7, 24), datetime.date(2035, 12, 31))


@st.composite
def instructions(draw: st.DrawFn) -> Instruction:
    """Any instruction."""
    from_account, to_account = draw(st.lists(accounts, min_size=2, max_size=2, unique=True))
    return Instruction(
        draw(references), draw(st.sampled_from(Purpose)), draw(amounts), from_account, to_account, draw(names), draw(texts), draw(days)
    )


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Any answer; a rejection gives a reason, and what the bank has never seen has none."""
    status = draw(st.sampled_from(Status))
    reason = "" if status is Status.UNKNOWN else draw(names if status is Status.REJECTED else texts)
    return Answer(draw(references), status, reason, draw(st.none() | references))


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Any statement that is sound."""
    account, first, length = draw(accounts), draw(days), draw(st.integers(0, 40))
    until = first + datetime.timedelta(days=length)
    lines = tuple(
        Line(
            bank_reference=bank_reference,
            reference=draw(st.none() | references),
            amount_fen=draw(amounts) * draw(st.sampled_from([1, -1])),
            booked_on=first + datetime.timedelta(days=draw(st.integers(0, length))),
            valued_on=draw(days),
            counterparty_name=draw(texts),
            counterparty_account=draw(st.just("") | accounts.filter(lambda other: other != account)),
            remittance=draw(texts),
            is_reversal=draw(st.booleans()),
        )
        for bank_reference in draw(st.lists(references, max_size=4, unique=True))
    )
    opening_fen = draw(st.integers(-(10**14), 10**14))
    return Statement(
        identification=draw(references),
        account=account,
        sequence_number=draw(st.integers(0, 10**9)),
        created_at=draw(st.datetimes(datetime.datetime(2021, 1, 1), datetime.datetime(2036, 1, 1), timezones=st.just(datetime.UTC))),
        from_on=first,
        until_on=until,
        opening_fen=opening_fen,
        closing_fen=opening_fen + sum(each.amount_fen for each in lines),
        lines=lines,
    )
