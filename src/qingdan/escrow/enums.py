"""Closed sets of the escrow app. Where the policy pack has a category of the same name, the codes are the pack's."""

from __future__ import annotations

from django.db.models import TextChoices


class SupervisionMode(TextChoices):
    """How prepaid tuition is watched over; the pack's ``supervision_mode`` (S0.9③: custody, risk reserve, periodic transfer)."""

    CUSTODY = "custody", "第三方托管"
    RESERVE = "reserve", "风险储备金"
    TRANSFER = "transfer", "银行定期划扣"


class BankChannel(TextChoices):
    """By which adapter of ``qingdan.banking`` an agreement's bank is spoken to."""

    HTTP = "http", "直连（ISO 20022）"
    FILE = "file", "文件交换（ISO 20022）"
    CSV = "csv", "表格文件（CSV）"


class TrainingCategory(TextChoices):
    """Academic or not; the pack's ``training_category``."""

    ACADEMIC = "academic", "学科类"
    NON_ACADEMIC = "non_academic", "非学科类"


class FeeUnit(TextChoices):
    """By what a fee is counted; the pack's ``fee_unit``."""

    LESSON = "lesson", "课时"
    HOUR = "hour", "小时"
    MONTH = "month", "月"
    TERM = "term", "学期"
    ITEM = "item", "项"


class ContractState(TextChoices):
    """The life of a contract."""

    DRAFT = "draft", "草稿"
    OFFERED = "offered", "待家长签"
    SIGNED = "signed", "已签待缴费"
    ACTIVE = "active", "履行中"
    COMPLETED = "completed", "已上完"
    REFUNDED = "refunded", "已退费终止"
    CANCELLED = "cancelled", "未签作废"


#: Both sides have signed: nothing of the text changes any more.
SIGNED_STATES = (ContractState.SIGNED, ContractState.ACTIVE, ContractState.COMPLETED, ContractState.REFUNDED)


class LessonState(TextChoices):
    """What became of a lesson that the institution recorded as given."""

    RECORDED = "recorded", "待家长确认"
    CONFIRMED = "confirmed", "家长已确认"
    PRESUMED = "presumed", "逾期视为确认"
    DISPUTED = "disputed", "家长有异议"
    UPHELD = "upheld", "核定为已上"
    VOID = "void", "不计课时"


#: Money and lessons have gone over to the institution.
RELEASED_STATES = (LessonState.CONFIRMED, LessonState.PRESUMED, LessonState.UPHELD)


class RefundState(TextChoices):
    """The way of a refund."""

    APPLIED = "applied", "待机构答复"
    CONTESTED = "contested", "机构不同意，待核定"
    APPROVED = "approved", "待退款"
    INSTRUCTED = "instructed", "银行办理中"
    PAID = "paid", "已退"
    REFUSED = "refused", "不予退费"
    WITHDRAWN = "withdrawn", "已撤回"


#: Not over yet: a contract has one of these at most.
OPEN_REFUNDS = (RefundState.APPLIED, RefundState.CONTESTED, RefundState.APPROVED, RefundState.INSTRUCTED)


class RefundBasis(TextChoices):
    """Why a refund goes through."""

    AGREED = "agreed", "机构同意"
    SILENCE = "silence", "机构逾期未答复"
    DECIDED = "decided", "主管部门核定"
    CLOSING = "closing", "机构停办，全部退还"


class OrderState(TextChoices):
    """What became of a family's payment order."""

    WAITING = "waiting", "待缴"
    PAID = "paid", "已缴"
    CANCELLED = "cancelled", "已取消"


class InstructionPurpose(TextChoices):
    """For what a bank is told to pay; ``qingdan.banking``'s purposes."""

    RELEASE = "release", "划拨课时费"
    REFUND = "refund", "退费"
    RESERVE = "reserve", "动用储备金"


class InstructionState(TextChoices):
    """How far an instruction has come. ``SENT`` means that nobody knows yet whether the bank has it: it is asked, or told again."""

    PREPARED = "prepared", "待发送"
    SENT = "sent", "已发送，待答复"
    ACCEPTED = "accepted", "银行已受理"
    BOOKED = "booked", "已入账"
    REJECTED = "rejected", "银行拒绝"


#: The bank may still book it.
OPEN_INSTRUCTIONS = (InstructionState.PREPARED, InstructionState.SENT, InstructionState.ACCEPTED)


class LineMatch(TextChoices):
    """What a line of a bank statement is to the book."""

    MATCHED = "matched", "相符"
    LATE = "late", "跨日入账"
    UNKNOWN = "unknown", "无对应记录"
    SETTLED = "settled", "已查明"


class RiskLevel(TextChoices):
    """What a score calls for."""

    CALM = "calm", "平稳"
    WATCHED = "watched", "关注"
    WARNED = "warned", "预警"
    ALARM = "alarm", "紧急"


class RiskStepKind(TextChoices):
    """What was done about an institution at risk (一机构一方案, S1 三2)."""

    PLAN = "plan", "制定方案"
    VISIT = "visit", "上门核查"
    TALK = "talk", "约谈"
    CIRCULATED = "circulated", "预警通报"
    PAUSED = "paused", "暂停划拨"
    RESUMED = "resumed", "恢复划拨"
    CLOSED = "closed", "风险解除"
