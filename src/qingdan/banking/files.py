"""A bank that exchanges files: a folder with ``out/`` for our messages and ``in/`` for the bank's.

    out/<message>.xml or .csv    instructions (pain.001 or a table) for the bank's program to fetch; it may move or delete them
    in/*.xml, in/*.csv           what the bank delivers: status reports (pain.002 or a table), statements (camt.053 or a table)
    done/                        what came in and was taken, unchanged
    kept/                        our own memory: sent messages, one file per reference, answers, statements by account

An instruction goes out once, also when the program is killed at any point: the message is first written whole under the name
``<message>.part``, which is the decision to send it; then each reference is noted; then the file gets its final name. A ``.part`` found
later is carried on with. A booking on a statement answers for its instruction when no report does.
A faulty delivery stays in ``in/`` and is told at every reading until somebody replaces or removes it.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qingdan.banking import camt053, csvbank, pain001, pain002
from qingdan.banking.adapter import BankDown, BankRefused
from qingdan.banking.iso20022 import SIZE_MAX, definition_in
from qingdan.banking.messages import (
    REFERENCE,
    Answer,
    AnswerFault,
    Instruction,
    Order,
    Receipt,
    Statement,
    StatementFault,
    Status,
    in_order,
    together,
)

_NO_ORDERS = "这家银行只用文件往来，不能在线收款；请家长到银行柜面或手机银行付款，款到后以对账单为准"


@dataclass(frozen=True)
class Delivery:
    """What lay in ``in/``: the faults of files that stay there; those of statements are StatementFault."""

    faults: tuple[StatementFault | AnswerFault, ...]


class FileBank:
    """See the module. Any number of processes may use one folder at a time; they take turns."""

    def __init__(
        self,
        folder: Path,
        *,
        writes_csv: bool = False,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Make the folders that are missing.

        ``writes_csv``: this bank takes instructions as tables. ``now`` gives the aware time that is written into messages.
        """
        self._writes_csv, self._now = writes_csv, now
        self._in, self._out, self._done = folder / "in", folder / "out", folder / "done"
        self._sent, self._references = folder / "kept" / "sent", folder / "kept" / "references"
        self._answers, self._statements = folder / "kept" / "answers", folder / "kept" / "statements"
        for each in (self._in, self._out, self._done, self._sent, self._references, self._answers, self._statements):
            each.mkdir(parents=True, exist_ok=True)
        self._lock = folder / "kept" / "lock"

    def submit(self, instructions: Sequence[Instruction]) -> list[Answer]:
        """Put those that were never sent into one new file; say pending of each until the bank's report is there."""
        if not instructions:
            return []
        with self._alone():
            self._finish()
            self._take_in()
            known = {one.reference: self._sent_as(one.reference) for one in instructions}
            changed = [one for one in instructions if known[one.reference] not in (None, one)]
            new = [one for one in instructions if known[one.reference] is None]
            if new:
                _write_whole(self._out / f"{pain001.id_for(new)}.part", pain001.write(new, created_at=self._now()))
                self._finish()
            answers = {one.reference: self._answer(one.reference) for one in instructions}
            for one in changed:
                answers[one.reference] = Answer(
                    one.reference, Status.REJECTED, "参考号已用于另一笔内容不同的指令，没有送出；请换一个参考号"
                )
            return [answers[one.reference] for one in instructions]

    def ask(self, references: Sequence[str]) -> list[Answer]:
        """By the reports that have come so far."""
        with self._alone():
            self._finish()
            self._take_in()
            return [self._answer(reference) for reference in references]

    def statements(self, account: str, *, since: datetime.date) -> list[Statement]:
        """Those that have come so far, also when they were asked for before; faults of any file in ``in/`` are told."""
        with self._alone():
            delivery = self._take_in()
            folder = self._statements / account
            # The name begins with the last day, so that old ones need not be opened.
            files = [file for file in sorted(folder.glob("*.xml")) if file.name[:10] >= since.isoformat()]
            found = [one for file in files for one in camt053.read(file.read_bytes())]
        statements = in_order(found)  # kept so that none disputes another
        faults = [fault for fault in delivery.faults if isinstance(fault, StatementFault)]
        if faults:
            raise together(faults, statements)
        return statements

    def collect(self, order: Order) -> Receipt:
        """Not by files: always BankRefused."""
        raise BankRefused(_NO_ORDERS)

    def collected(self, number: str) -> Receipt:
        """Not by files: always BankRefused."""
        raise BankRefused(_NO_ORDERS)

    def take_in(self) -> Delivery:
        """Sort what the bank has put into ``in/``; done by every question anyway. What cannot be read is told and stays."""
        with self._alone():
            return self._take_in()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Take turns; a folder that cannot be reached or written is a bank that is down: what was begun is finished next time."""
        try:
            with self._lock.open("w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            what = f"{error.strerror or error}：{error.filename}" if error.filename else str(error)
            raise BankDown(f"与银行交换文件的文件夹读写不了（{what}）；请检查磁盘和权限，稍后会接着办") from error

    def _finish(self) -> None:
        """Carry on with messages that were decided: note the references, then give the file its final name."""
        for part in sorted(self._out.glob("*.part")):
            data = part.read_bytes()
            message = pain001.read_message(data)
            _write_whole(self._sent / f"{message.message_id}.xml", data)
            for one in message.instructions:
                _write_whole(self._references / one.reference, message.message_id.encode("ascii"))
            if self._writes_csv:
                _write_whole(part.with_suffix(".csv-part"), csvbank.write_instructions(message.instructions))
                part.unlink()  # from here on it is the table that is carried on with
            else:
                part.rename(part.with_suffix(".xml"))
            _settle(self._out)
        for part in sorted(self._out.glob("*.csv-part")):
            part.rename(part.with_suffix(".csv"))
            _settle(self._out)

    def _sent_as(self, reference: str) -> Instruction | None:
        noted = self._references / reference
        if not noted.exists():
            return None
        message = pain001.read((self._sent / f"{noted.read_text('ascii')}.xml").read_bytes())
        return next(one for one in message if one.reference == reference)

    def _answer(self, reference: str) -> Answer:
        answered = self._answers / reference
        if answered.exists():
            return pain002.read(answered.read_bytes())[0]
        if (self._references / reference).exists():
            return Answer(reference, Status.PENDING, "文件已交给银行，还没有回单")
        return Answer(reference, Status.UNKNOWN)

    def _take_in(self) -> Delivery:
        faults: list[StatementFault | AnswerFault] = []
        pages: dict[Path, list[camt053.Page]] = {}
        for file in sorted(file for file in self._in.iterdir() if file.is_file() and not file.name.startswith(".")):
            try:
                self._take_one(file, pages)
            except (StatementFault, AnswerFault) as fault:
                faults.append(type(fault)(f"文件 {file.name}，{fault.place}", fault.reason))
        groups: dict[tuple[str, str], dict[Path, list[camt053.Page]]] = {}
        for file, found in pages.items():
            for page in found:
                groups.setdefault(page.key, {}).setdefault(file, []).append(page)
        waiting: set[Path] = set()
        for group in groups.values():
            try:
                self._keep(camt053.joined([page for found in group.values() for page in found]))
            except StatementFault as fault:
                names = "、".join(file.name for file in group)
                faults.append(StatementFault(f"文件 {names}，{fault.place}", fault.reason, identification=fault.identification))
                waiting.update(group)
        for file in set(pages) - waiting:
            self._put_away(file)
        return Delivery(tuple(faults))

    def _take_one(self, file: Path, pages: dict[Path, list[camt053.Page]]) -> None:
        """Reports are kept at once; pages of statements wait until all files are read."""
        if file.stat().st_size > SIZE_MAX:
            raise StatementFault("文件", f"超过 {SIZE_MAX // 1024 // 1024} MB，不像正常的报文")
        data = file.read_bytes()
        if file.suffix.lower() == ".csv" and csvbank.is_about_answers(data):
            self._keep_answers(csvbank.read_answers(data), file.stem)
            self._put_away(file)
        elif file.suffix.lower() == ".csv":
            pages[file] = [camt053.Page(one, 1, is_last=True) for one in csvbank.read_statements(data)]
        elif definition_in(data) == "pain.002":
            report = pain002.read_report(data)
            self._keep_answers(self._all_of(report), report.original_message_id)
            self._put_away(file)
        else:
            pages[file] = camt053.pages_in(data)

    def _all_of(self, report: pain002.Report) -> list[Answer]:
        """A report about a whole message is one about each of its instructions."""
        sent = self._sent / f"{Path(report.original_message_id).name}.xml"
        if report.whole is None or not sent.exists():
            return list(report.answers)
        return report.about([one.reference for one in pain001.read(sent.read_bytes())])

    def _keep_answers(self, answers: Sequence[Answer], message_id: str) -> None:
        for answer in answers:
            ours = REFERENCE.fullmatch(answer.reference) and (self._references / answer.reference).exists()
            if ours and _is_news(self._answer(answer.reference), answer):
                data = pain002.write([answer], original_message_id=message_id, created_at=self._now())
                _write_whole(self._answers / answer.reference, data)

    def _keep(self, statement: Statement) -> None:
        folder = self._statements / statement.account
        folder.mkdir(exist_ok=True)
        number, identified = f"{statement.sequence_number:08}", _digest(statement.identification)
        for pattern in (f"*_{number}_*.xml", f"*_{identified}.xml"):
            for file in folder.glob(pattern):
                [known] = camt053.read(file.read_bytes())
                if known.content != statement.content:
                    raise statement.disputing(known)
        _write_whole(folder / f"{statement.until_on}_{number}_{identified}.xml", camt053.write([statement]))
        went_out = [line for line in statement.lines if line.reference and line.amount_fen < 0 and not line.is_reversal]
        booked = [Answer(line.reference, Status.BOOKED, "", line.bank_reference) for line in went_out if line.reference]
        self._keep_answers(booked, statement.identification)

    def _put_away(self, file: Path) -> None:
        """Move to ``done/``; a file that came again under the same name is kept beside the first."""
        target = self._done / file.name
        number = 2
        while target.exists():
            target = self._done / f"{file.stem}_{number}{file.suffix}"
            number += 1
        file.rename(target)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_news(before: Answer, after: Answer) -> bool:
    """Reports may come in any order: nothing falls back, and money that moved outweighs a rejection."""
    rank = {Status.UNKNOWN: 0, Status.PENDING: 1, Status.ACCEPTED: 2, Status.REJECTED: 3, Status.BOOKED: 4}
    return rank[after.status] > rank[before.status] or (after.status is before.status and after != before)


def _write_whole(path: Path, data: bytes) -> None:
    """Write so that the file is either there with all its content or not there, also after a power cut."""
    draft = path.with_name(f".{path.name}.tmp")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """See a renaming through to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
