"""What officers fill in about custody agreements."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from qingdan.escrow.enums import SupervisionMode
from qingdan.escrow.forms.fields import YuanField, dress
from qingdan.escrow.models import CustodyAgreement

_ACCOUNT = r"^[A-Za-z0-9][A-Za-z0-9-]{7,33}$"


class AgreementForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new agreement, or the successor of one."""

    account_number = forms.RegexField(
        _ACCOUNT, label="监管账号", strip=True, error_messages={"invalid": "账号是 8 至 34 位数字或字母，不带空格"}
    )
    settlement_account = forms.RegexField(
        _ACCOUNT, label="机构结算账号", strip=True, error_messages={"invalid": "账号是 8 至 34 位数字或字母，不带空格"}
    )
    reserve_floor_fen = YuanField(label="储备金下限（元）", required=False, help_text="只有风险储备金要填")

    class Meta:
        model = CustodyAgreement
        fields: ClassVar = [
            "institution", "mode", "bank_name", "channel", "account_number", "settlement_name", "settlement_account", "reserve_floor_fen",
            "starts_on",
        ]  # fmt: skip

    def __init__(self, *args: Any, institutions: Any = None, **kwargs: Any) -> None:
        """``institutions``: those that may be chosen; None where the institution stands already."""
        super().__init__(*args, **kwargs)
        if institutions is None:
            del self.fields["institution"]
        else:
            self.fields["institution"] = forms.ModelChoiceField(
                institutions, label="机构", empty_label="请选择机构", error_messages={"invalid_choice": "请从列表里选一家机构"}
            )
        dress(self)
        self.fields["mode"].choices = SupervisionMode.choices  # type: ignore[attr-defined]
        self.fields["settlement_name"].label = "机构结算户名"
        self.fields["starts_on"].label = "开始日期"

    def clean(self) -> dict[str, Any]:
        """A floor only where a reserve stands."""
        cleaned = super().clean() or {}
        if (
            cleaned.get("mode") == SupervisionMode.RESERVE
            and not cleaned.get("reserve_floor_fen")
            and "reserve_floor_fen" not in self.errors
        ):
            self.add_error("reserve_floor_fen", "风险储备金要写明下限")
        if cleaned.get("mode") != SupervisionMode.RESERVE:
            cleaned["reserve_floor_fen"] = 0
        if cleaned.get("account_number") and cleaned.get("account_number") == cleaned.get("settlement_account"):
            self.add_error("settlement_account", "结算账号不能与监管账号相同")
        cleaned["reserve_floor_fen"] = cleaned.get("reserve_floor_fen") or 0
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # The rest of the record is set by the act, which checks the whole.
        return {*super()._get_validation_exclusions(), "entered_by", "department"}  # type: ignore[misc]

    def validate_constraints(self) -> None:
        """The act checks them, once the record is whole."""


class EndForm(forms.Form):
    """The last day."""

    on = forms.DateField(label="最后一天", error_messages={"required": "请填协议的最后一天", "invalid": "日期请写成 2026-11-16"})


class ReasonForm(forms.Form):
    """Why releases stop, or go on."""

    reason = forms.CharField(
        max_length=300, error_messages={"required": "请写明理由，会记入机构的风险档案", "max_length": "理由不超过 300 字"}
    )
