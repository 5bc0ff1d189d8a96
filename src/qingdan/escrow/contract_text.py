"""The text of a contract, made from the fields of the model form in our own words.

Every edition has a name (``form_version``) that stays with the contract. When both have signed, the text is kept word for word and its
digest with it; nothing is made anew from records that may change afterwards.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass

from django.utils import timezone

from qingdan.escrow.enums import SupervisionMode
from qingdan.escrow.models import Contract, CustodyAgreement
from qingdan.escrow.wording import yuan

#: The edition from which new contracts are made.
FORM_VERSION = "中小学生校外培训服务合同要素（一）"
TITLE = "中小学生校外培训服务合同"


@dataclass(frozen=True)
class Section:
    """A heading with its lines."""

    title: str
    lines: tuple[str, ...]


def _day(day: datetime.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def moment(at: datetime.datetime) -> str:
    """A signature's time, in China, to the second."""
    local = timezone.localtime(at)
    return f"{_day(local)} {local:%H:%M:%S}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _custody(agreement: CustodyAgreement | None) -> str:
    if agreement is None:
        return "预收费监管：甲方还没有监管协议。"
    told = f"预收费监管：{agreement.get_mode_display()}，{agreement.bank_name}，监管账户{agreement.masked_account}。"
    if agreement.mode == SupervisionMode.RESERVE:
        return f"{told}甲方另存风险储备金，退费有困难时由储备金支付。"
    return f"{told}乙方所付全部进入监管账户，课上一次、确认一次，才划给甲方一次。"


def sections(contract: Contract, agreement: CustodyAgreement | None) -> list[Section]:
    """The whole text by its parts; where something is not there yet, the text says so."""
    price = contract.amount_fen // contract.lessons
    custody = _custody(agreement)
    found = [
        Section(
            "一、双方",
            (
                f"甲方（培训机构）：{contract.institution.name}",
                f"乙方（学员监护人）：{contract.guardian.display_name}",
                f"学员：{contract.learner_name}，{_day(contract.learner_born_on)}出生",
            ),
        ),
        Section(
            "二、培训内容",
            (
                f"课程：{contract.course_name}（{contract.get_category_display()}，备案号 {contract.course_number}）",
                f"班额不超过 {contract.class_size} 人，每课时 {contract.lesson_minutes} 分钟，共 {contract.lessons} 课时。",
                f"本合同所付费用对应的课程：{_day(contract.course_from)}至{_day(contract.course_until)}。",
                f"备案的教学安排：{_day(contract.teaching_from)}至{_day(contract.teaching_until)}。",
            ),
        ),
        Section(
            "三、费用",
            (
                f"合计 {yuan(contract.amount_fen)}，平均每课时 {yuan(price)}。除此以外甲方不另收费用。",
                f"支付方式：{'贷款支付' if contract.is_paid_by_loan else '乙方自有资金一次支付，不使用贷款'}。",
                custody,
            ),
        ),
        Section(
            "四、退费",
            (
                f"退费条件：{_one_line(contract.refund_conditions) or '（未写）'}",
                f"退费程序：{_one_line(contract.refund_procedure) or '（未写）'}",
                f"甲方同意或核定退费后 {contract.refund_working_days} 个工作日内退还，按缴费的原路退回。",
            ),
        ),
    ]
    if contract.extra_terms.strip():
        # Each with a mark before it: what the institution writes can never pass for a heading or a signature.
        lines = [_one_line(line) for line in contract.extra_terms.splitlines()]
        found.append(Section("五、补充约定", tuple(f"· {line}" for line in lines if line)))
    signatures = [
        f"甲方签署：{contract.institution.name}，{moment(contract.offered_at)}" if contract.offered_at else "甲方：尚未签署",
        f"乙方签署：{contract.guardian.display_name}，{moment(contract.signed_at)}" if contract.signed_at else "乙方：尚未签署",
    ]
    found.append(Section("签署", tuple(signatures)))
    return found


def full_text(contract: Contract, agreement: CustodyAgreement | None) -> str:
    """The canonical text: one line after another, each ended by a line feed."""
    lines = [TITLE, f"合同编号：{contract.number}", f"文本：{contract.form_version}"]
    for section in sections(contract, agreement):
        lines += [section.title, *section.lines]
    return "".join(f"{line}\n" for line in lines)


def digest_of(text: str) -> str:
    """SHA-256 over a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_sections(text: str) -> tuple[list[str], list[Section]]:
    """A kept text as its head lines and parts, to be shown; headings are the lines that ``sections`` makes headings of."""
    head: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line in _HEADINGS:
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
        else:
            head.append(line)
    return head, [Section(title, tuple(lines)) for title, lines in found]


_HEADINGS = frozenset({"一、双方", "二、培训内容", "三、费用", "四、退费", "五、补充约定", "签署"})
