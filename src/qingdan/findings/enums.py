"""Closed sets of the findings app."""

from __future__ import annotations

from django.db.models import TextChoices


class FindingStatus(TextChoices):
    """Where a finding stands."""

    OPEN = "open", "待答复"
    CORRECTED = "corrected", "称已整改"
    DISPUTED = "disputed", "有异议"
    SETTLED = "settled", "已办结"
    WITHDRAWN = "withdrawn", "异议成立"
    GONE = "gone", "已消除"


#: Somebody has still to act.
PENDING = (FindingStatus.OPEN, FindingStatus.CORRECTED, FindingStatus.DISPUTED)
#: The bureau has spoken.
DECIDED = (FindingStatus.SETTLED, FindingStatus.WITHDRAWN)


class FindingAct(TextChoices):
    """What happens to a finding."""

    FOUND = "found", "发现"
    CORRECT = "correct", "答复：已整改"
    DISPUTE = "dispute", "提出异议"
    CONFIRM = "confirm", "确认整改，办结"
    UPHOLD = "uphold", "异议不成立，退回"
    ACCEPT = "accept", "异议成立，撤销"
    SEND_BACK = "send_back", "整改不到位，退回"
    VANISH = "vanish", "复检时已消除"
    REOPEN = "reopen", "再次出现，重新打开"


#: What the organisation itself does.
ANSWERS = (FindingAct.CORRECT, FindingAct.DISPUTE)
#: What the bureau does.
DECISIONS = (FindingAct.CONFIRM, FindingAct.SEND_BACK, FindingAct.ACCEPT, FindingAct.UPHOLD)
#: Acts that nobody needs to explain.
WITHOUT_REASON = (FindingAct.FOUND, FindingAct.CONFIRM, FindingAct.VANISH, FindingAct.REOPEN)


class FindingDay(TextChoices):
    """What kind of day a finding's day was; the codes of the pack's ``day_kind``, and the vacations apart."""

    WORKDAY = "workday", "工作日"
    REST_DAY = "rest_day", "休息日"
    HOLIDAY = "holiday", "法定节假日"
    VACATION = "vacation", "寒暑假"
    UNKNOWN = "unknown", "日期类型未定"


class RunStatus(TextChoices):
    """Where an audit of the database stands."""

    WAITING = "waiting", "排队中"
    RUNNING = "running", "进行中"
    DONE = "done", "已完成"
    FAILED = "failed", "未完成"


#: Not yet at an end.
UNDER_WAY = (RunStatus.WAITING, RunStatus.RUNNING)
