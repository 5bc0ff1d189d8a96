"""The school answers, the bureau decides; who may do what, and from which state."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from qingdan.accounts.models import User
from qingdan.findings import actions
from qingdan.findings.actions import STEPS, accept, act_on_many, confirm, correct, dispute, send_back, uphold
from qingdan.findings.enums import ANSWERS, FindingAct, FindingStatus
from qingdan.findings.models import Finding, FindingEvent
from qingdan.notices.models import Notice
from tests.district import District, make_district, make_user
from tests.findings.conftest import finding_of

VERBS: dict[FindingAct, Callable[..., Finding]] = {
    FindingAct.CORRECT: correct,
    FindingAct.DISPUTE: dispute,
    FindingAct.CONFIRM: confirm,
    FindingAct.SEND_BACK: send_back,
    FindingAct.ACCEPT: accept,
    FindingAct.UPHOLD: uphold,
}


@pytest.mark.parametrize("act", VERBS)
@pytest.mark.parametrize("status", FindingStatus)
def test_each_act_starts_from_its_states_only(act: FindingAct, status: FindingStatus, district: District) -> None:
    finding = finding_of(district.first, status=status)
    by = district.first.leader if act in ANSWERS else district.bureau
    allowed, target = STEPS[act]
    if status in allowed:
        assert VERBS[act](finding, by=by, reason="说明").status == target
        event = finding.events.get()
        assert (event.act, event.actor, event.reason) == (act, by, "说明")
    else:
        with pytest.raises(ValidationError, match=f"现在是“{status.label}”"):
            VERBS[act](finding, by=by, reason="说明")
        finding.refresh_from_db()
        assert finding.status == status
        assert not FindingEvent.objects.exists()


@pytest.mark.parametrize("act", VERBS)
def test_only_the_owner_answers_and_only_the_bureau_decides(act: FindingAct, district: District) -> None:
    status = FindingStatus.DISPUTED if act in (FindingAct.ACCEPT, FindingAct.UPHOLD) else FindingStatus.CORRECTED
    finding = finding_of(district.first, status=status)
    wrong: list[User] = [district.first.teacher, district.first.parent, district.second.leader]
    wrong.append(district.bureau if act in ANSWERS else district.first.leader)
    for by in wrong:
        with pytest.raises(PermissionDenied):
            VERBS[act](finding, by=by, reason="说明")
    assert not FindingEvent.objects.exists()


@pytest.mark.parametrize("act", [act for act in VERBS if act != FindingAct.CONFIRM])
def test_an_answer_needs_words(act: FindingAct, district: District) -> None:
    finding = finding_of(district.first, status=next(iter(STEPS[act][0])))
    by = district.first.leader if act in ANSWERS else district.bureau
    for empty in ("", "  \n"):
        with pytest.raises(ValidationError, match="请写明情况或理由"):
            VERBS[act](finding, by=by, reason=empty)
    with pytest.raises(ValidationError):
        VERBS[act](finding, by=by, reason="长" * 501)


def test_a_school_may_change_its_answer_until_the_bureau_decides(district: District) -> None:
    finding = finding_of(district.first)
    correct(finding, by=district.first.leader, reason="已调减")
    assert dispute(finding, by=district.first.leader, reason="其实没有超").status == FindingStatus.DISPUTED
    assert correct(finding, by=district.first.leader, reason="还是调减了").status == FindingStatus.CORRECTED
    confirm(finding, by=district.bureau)
    with pytest.raises(ValidationError, match="现在是“已办结”"):
        dispute(finding, by=district.first.leader, reason="又不同意")


def test_a_dispute_that_is_not_shared_comes_back(district: District) -> None:
    finding = finding_of(district.first)
    dispute(finding, by=district.first.leader, reason="是选做")
    changed = uphold(finding, by=district.bureau, reason="选做也计入")
    assert (changed.status, changed.answered_at) == (FindingStatus.OPEN, None)
    assert changed.decided_at is not None


def test_each_side_hears_of_the_other(district: District) -> None:
    finding = finding_of(district.first)
    correct(finding, by=district.first.leader, reason="已调减")
    (to_bureau,) = Notice.objects.filter(user=district.bureau)
    assert "甲小学" in to_bureau.text
    assert to_bureau.url == f"/findings/{finding.pk}/"
    send_back(finding, by=district.bureau, reason="仍然超量")
    (to_school,) = Notice.objects.exclude(user=district.bureau)
    assert to_school.user == district.first.leader
    assert "整改不到位" in to_school.text


def test_the_nearest_bureau_hears(district: District) -> None:
    from qingdan.accounts.enums import OrganisationKind, Role
    from qingdan.accounts.models import Organisation

    city = Organisation.objects.create(name="某市教育局", kind=OrganisationKind.BUREAU, layer_code="cn", region_code="990100")
    above = make_user("city", Role.BUREAU, city)
    correct(finding_of(district.first), by=district.first.leader, reason="已调减")
    assert not Notice.objects.filter(user=above).exists()
    district.bureau.employer.users.update(is_active=False)
    correct(finding_of(district.first), by=district.first.leader, reason="已调减")
    assert Notice.objects.filter(user=above).exists()


def test_several_at_once_make_one_notice_and_tell_what_could_not_be_done(district: District) -> None:
    open_ones = [finding_of(district.first) for _ in range(3)]
    settled = finding_of(district.first, status=FindingStatus.SETTLED)
    done, refused = act_on_many("correct", [settled, *open_ones], by=district.first.leader, reason="统一调减")
    assert [each.pk for each in done] == [each.pk for each in open_ones]
    assert [(each.finding, "已办结" in each.message) for each in refused] == [(settled, True)]
    (notice,) = Notice.objects.all()
    assert "3 个问题" in notice.text
    with pytest.raises(ValidationError, match="请写明"):
        act_on_many("dispute", open_ones, by=district.first.leader, reason="")
    with pytest.raises(PermissionDenied):
        act_on_many("confirm", open_ones, by=district.first.leader, reason="好")
    assert set(Finding.objects.filter(pk__in=[each.pk for each in open_ones]).values_list("status", flat=True)) == {"corrected"}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_the_second_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    district = make_district()
    finding = finding_of(district.first, status=FindingStatus.DISPUTED)
    both = threading.Barrier(2, timeout=20)
    real, outcomes = actions._act, list[str]()

    def together(*args: object) -> object:
        both.wait()
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "_act", together)

    def decide(verb: Callable[..., Finding]) -> None:
        try:
            outcomes.append(verb(finding, by=district.bureau, reason="理由").status)
        except ValidationError as error:
            outcomes.append("；".join(error.messages)[:8])
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[verb]) for verb in (accept, uphold)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == 2
    assert sum(each.startswith("这个问题现在是") for each in outcomes) == 1
    assert FindingEvent.objects.count() == 1
