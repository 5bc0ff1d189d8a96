"""What each chart of prepaid tuition shows: its numbers, a sentence that says what is seen, and a table."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable

from django.core.cache import cache
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from qingdan.accounts.models import Organisation, User
from qingdan.charting.figures import Figure
from qingdan.escrow.enums import OrderState, RefundState, RiskLevel
from qingdan.escrow.ledgers import books_of
from qingdan.escrow.models import PaymentOrder, Refund, RiskScore
from qingdan.escrow.models.scope import supervised
from qingdan.escrow.risk import outlook
from qingdan.escrow.wording import yuan
from qingdan.ledger.enums import Unit
from qingdan.ledger.models import Entry

_DAY = datetime.timedelta(days=1)
_HISTORY_DAYS, _LEVEL_DAYS, _MONTHS = 60, 30, 6
_YUAN = 100
_KEPT_SECONDS = 3600
COVERED, UNCOVERED = "有保障", "无保障"
PAID, RELEASED, REFUNDED = "家长缴入", "消课划出", "退还家长"


def history(institution: Organisation, day: datetime.date) -> Figure:
    """How an institution's score went."""
    title = "风险分值的变化"
    scores = RiskScore.objects.filter(institution=institution, on_date__gt=day - _HISTORY_DAYS * _DAY, on_date__lte=day)
    found = list(scores.order_by("on_date").values_list("on_date", "score", "level"))
    if not found:
        return Figure("history", title, advice="还没有算过分。每天夜里算一次，也可以在名单上点“现在重算”。")
    labels = dict(RiskLevel.choices)
    rows = tuple((f"{on}", score, str(labels[level])) for on, score, level in found)
    data = tuple({"day": f"{on}", "score": score} for on, score, _ in found)
    (first_on, first, _), (last_on, last, _) = found[0], found[-1]
    highest_on, highest, _ = max(found, key=lambda each: each[1])
    change = "没有变化" if last == first else f"{'升' if last > first else '降'} {abs(last - first)} 分"
    sentence = f"{last_on:%-m月%-d日} {last} 分，比 {first_on:%-m月%-d日}{change}；最高 {highest_on:%-m月%-d日} {highest} 分。"
    return Figure("history", title, sentence, ("日期", "分值", "级别"), rows, data)


def ahead(institution: Organisation, day: datetime.date) -> Figure:
    """How what families are owed goes down as the planned lessons are given."""
    title = "今后三十天的未消课预收费"
    line = outlook.projected(institution, day)
    if not line[0][1]:
        return Figure("ahead", title, advice="现在没有未消课的预收费。")
    rows = tuple((f"{on}", fen / _YUAN) for on, fen in line)
    data = tuple({"day": f"{on}", "yuan": fen / _YUAN} for on, fen in line)
    fall = line[0][1] - line[-1][1]
    sentence = f"今天 {yuan(line[0][1])}；照课表上课，{line[-1][0]:%-m月%-d日} 剩 {yuan(line[-1][1])}，其间应消课 {yuan(fall)}。"
    note = "只算已排的课，不算新缴和退费。" if fall else "课表上没有排以后的课：钱收了，课没有着落。"
    return Figure("ahead", title, sentence, ("日期", "未消课预收费（元）"), rows, data, note)


def levels(user: User, day: datetime.date) -> Figure:
    """How many institutions were warned of, day by day."""
    title = "各级别机构数：近三十天"
    scores = RiskScore.objects.visible_to(user).filter(on_date__gt=day - _LEVEL_DAYS * _DAY, on_date__lte=day).order_by()
    counts: defaultdict[datetime.date, Counter[str]] = defaultdict(Counter)
    for on, level, count in scores.values_list("on_date", "level").annotate(count=Count("pk")):
        counts[on][level] = count
    if not counts:
        return Figure("levels", title, advice="还没有算过分。在风险预警里点“现在重算”。")
    shown = [(level, str(label)) for level, label in RiskLevel.choices if level != RiskLevel.CALM]
    data = tuple({"day": f"{on}", "level": label, "count": counts[on][level]} for on in sorted(counts) for level, label in shown)
    rows = tuple((f"{on}", *(counts[on][level] for level in RiskLevel.values)) for on in sorted(counts, reverse=True))
    last = max(counts)
    told = "，".join(f"{label} {counts[last][level]} 家" for level, label in reversed(shown))
    sentence = f"{last:%-m月%-d日}：{told}；平稳 {counts[last][RiskLevel.CALM]} 家。"
    return Figure("levels", title, sentence, ("日期", *(str(label) for label in RiskLevel.labels)), rows, data, "平稳的没有画。")


def cover(user: User, day: datetime.date) -> Figure:
    """If all closed today: what families are owed under each mode, and what stands behind it."""
    title = "如果今天都停业：预收费的保障"
    found = [each for each in outlook.covers(RiskScore.objects.visible_to(user).of_newest_day(), day) if each.owed_fen]
    if not found:
        return Figure("cover", title, advice="没有未消课的预收费，或还没有算过分。")
    data = tuple(
        {"label": each.label, "state": state, "yuan": fen / _YUAN}
        for each in found
        for state, fen in ((COVERED, each.covered_fen), (UNCOVERED, each.uncovered_fen))
        if fen
    )
    columns = ("监管方式", "机构", "未消课预收费（元）", "有保障（元）", "无保障（元）", "覆盖率（%）")
    every = [*found, outlook.total(found)]
    labels = [*(each.label for each in found), "合计"]
    rows = tuple(
        (label, each.institutions, each.owed_fen / _YUAN, each.covered_fen / _YUAN, each.uncovered_fen / _YUAN, each.percent)
        for label, each in zip(labels, every, strict=True)
    )
    whole = every[-1]
    sentence = f"家长未消课 {yuan(whole.owed_fen)}，监管资金和储备金能保障 {yuan(whole.covered_fen)}（{whole.percent}%），"
    sentence += f"{yuan(whole.uncovered_fen)} 没有保障。" if whole.uncovered_fen else "全部有保障。"
    note = "按最近一次银行对账单；银行余额低于未消课的部分，和储备金盖不住的部分，算没有保障。"
    return Figure("cover", title, sentence, columns, rows, data, note)


def months(user: User, day: datetime.date) -> Figure:
    """What came in, went over to institutions and went back, month by month."""
    title = "每月缴入、划出、退还"
    sums = month_sums(user, first_month(day))
    if not sums:
        return Figure("months", title, advice="这半年没有预收费往来。")
    names = [_months_before(day, number) for number in range(_MONTHS - 1, -1, -1)]
    data = tuple(
        {"month": f"{month:%Y-%m}", "what": what, "yuan": sums.get((month, what), 0) / _YUAN}
        for month in names
        for what in (PAID, RELEASED, REFUNDED)
    )
    rows = tuple((f"{month:%Y-%m}", *(sums.get((month, what), 0) / _YUAN for what in (PAID, RELEASED, REFUNDED))) for month in names)
    now = {what: sums.get((names[-1], what), 0) for what in (PAID, RELEASED, REFUNDED)}
    sentence = "本月" + "，".join(f"{what} {yuan(fen)}" for what, fen in now.items()) + "。"
    return Figure("months", title, sentence, ("月份", f"{PAID}（元）", f"{RELEASED}（元）", f"{REFUNDED}（元）"), rows, data)


def first_month(day: datetime.date) -> datetime.date:
    """The first day of the months that are drawn."""
    return _months_before(day, _MONTHS - 1)


def month_sums(user: User, first: datetime.date) -> dict[tuple[datetime.date, str], int]:
    """(First of the month, what) -> fen, since a day; reckoned anew when something has been posted since."""
    posted = books_of(user).aggregate(count=Count("pk"), last=Sum("last_number", default=0))
    key = f"escrow-months:{user.organisation_id}:{user.role}:{first}:{posted['count']}:{posted['last']}"
    found: dict[tuple[datetime.date, str], int] | None = cache.get(key)
    if found is None:
        found = _month_sums(user, first)
        cache.set(key, found, _KEPT_SECONDS)
    return found


def _month_sums(user: User, first: datetime.date) -> dict[tuple[datetime.date, str], int]:
    paid = PaymentOrder.objects.filter(supervised(user, "contract__"), state=OrderState.PAID, paid_on__gte=first).order_by()
    refunded = Refund.objects.filter(supervised(user, "contract__"), state=RefundState.PAID, refunded_on__gte=first).order_by()
    released = Entry.objects.filter(posting__kind="release", account__unit=Unit.FEN, posting__effective_on__gte=first).order_by()
    # What a lesson takes out of the contract goes over; its reversal comes back and is taken off.
    released = released.exclude(account__code__startswith="c:").filter(account__book__in=books_of(user))
    found: dict[tuple[datetime.date, str], int] = {}
    for what, rows in (
        (PAID, paid.values_list(TruncMonth("paid_on")).annotate(fen=Sum("amount_fen"))),
        (RELEASED, released.values_list(TruncMonth("posting__effective_on")).annotate(fen=Sum("amount"))),
        (REFUNDED, refunded.values_list(TruncMonth("refunded_on")).annotate(fen=Sum("refunded_fen"))),
    ):
        found |= {(month, what): int(fen) for month, fen in rows}
    return found


def _months_before(day: datetime.date, number: int) -> datetime.date:
    months_since = day.year * 12 + day.month - 1 - number
    return datetime.date(months_since // 12, months_since % 12 + 1, 1)


OF_INSTITUTION: dict[str, Callable[[Organisation, datetime.date], Figure]] = {"history": history, "ahead": ahead}
OF_DISTRICT: dict[str, Callable[[User, datetime.date], Figure]] = {"cover": cover, "levels": levels, "months": months}
