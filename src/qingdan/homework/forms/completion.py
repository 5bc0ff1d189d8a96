"""What families and teachers fill in about homework that is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from qingdan.homework.enums import SleepAnswer
from qingdan.homework.models.register import MINUTES_MAX
from qingdan.schools.models import SchoolClass, Subject

#: What a family can tap; anything longer is typed.
MINUTES_CHIPS = (0, 15, 30, 45, 60, 75, 90, 120)
MORE = "more"


class AnswerForm(forms.Form):
    """Two taps: how long, and how the evening ended."""

    homework_minutes = forms.ChoiceField(
        label="实际用时",
        choices=[*((str(each), str(each)) for each in MINUTES_CHIPS), (MORE, "更长")],
        error_messages={"required": "请先点一下用了多少分钟，再点睡眠情况", "invalid_choice": "请从上面选一个用时"},
    )
    more_minutes = forms.IntegerField(
        label="用了多少分钟",
        required=False,
        min_value=0,
        max_value=MINUTES_MAX,
        error_messages={
            "invalid": "请用数字填写分钟",
            "min_value": f"用时要在 0 至 {MINUTES_MAX} 分钟之间",
            "max_value": f"用时要在 0 至 {MINUTES_MAX} 分钟之间",
        },
    )
    sleep = forms.ChoiceField(
        label="睡眠",
        choices=SleepAnswer.choices,
        error_messages={"required": "请再点一下睡眠情况", "invalid_choice": "请从下面选一种睡眠情况"},
    )

    def clean(self) -> dict[str, Any]:
        """The minutes as one number."""
        data: dict[str, Any] = super().clean() or {}
        chosen = data.get("homework_minutes")
        if chosen == MORE and data.get("more_minutes") is None and "more_minutes" not in self.errors:
            self.add_error("more_minutes", "请填写用了多少分钟")
        data["minutes"] = data.get("more_minutes") if chosen == MORE else int(chosen) if chosen else None
        return data


class SubjectMinutesForm(forms.Form):
    """Minutes of each subject that gave homework that day; empty ones are not said."""

    def __init__(self, *args: Any, subjects: Iterable[Subject], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subjects = list(subjects)
        for subject in self.subjects:
            widget = forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric", "min": 0, "max": MINUTES_MAX})
            messages = dict.fromkeys(("invalid", "min_value", "max_value"), f"{subject.name}：用时要在 0 至 {MINUTES_MAX} 分钟之间")
            self.fields[f"subject_{subject.pk}"] = forms.IntegerField(
                label=subject.name, required=False, min_value=0, max_value=MINUTES_MAX, widget=widget, error_messages=messages
            )

    def chosen(self) -> dict[int, int]:
        """Subject -> minutes, of those filled in."""
        named = ((subject.pk, self.cleaned_data.get(f"subject_{subject.pk}")) for subject in self.subjects)
        return {pk: minutes for pk, minutes in named if minutes is not None}


class FinishForm(forms.Form):
    """The share of a day's written homework finished at school; empty takes it back."""

    finished_percent = forms.IntegerField(
        label="校内完成比例",
        required=False,
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "比例请用 0 至 100 的整数",
            "min_value": "校内完成比例要在 0 至 100 之间",
            "max_value": "校内完成比例要在 0 至 100 之间",
        },
    )


class MarkingForm(forms.Form):
    """How one or several pieces of homework were marked and given back."""

    scope = forms.ChoiceField(label="批改", choices=[("full", "全批全改"), ("part", "部分批改")])
    face_to_face_count = forms.IntegerField(
        label="面批人数",
        required=False,
        min_value=0,
        max_value=100,
        initial=0,
        error_messages={
            "invalid": "面批人数请填数字",
            "min_value": "面批人数不能小于 0",
            "max_value": "面批人数不能超过 100",
        },
    )
    is_discussed_in_class = forms.BooleanField(label="课堂讲评", required=False)
    feedback = forms.CharField(label="反馈", required=False, max_length=300)

    def values(self) -> dict[str, Any]:
        """As the record takes them."""
        data = self.cleaned_data
        return {
            "is_marked_in_full": data["scope"] == "full",
            "face_to_face_count": data["face_to_face_count"] or 0,
            "is_discussed_in_class": data["is_discussed_in_class"],
            "feedback": data["feedback"].strip(),
        }


class MarkingFilter(forms.Form):
    """Which homework is listed."""

    school_class = forms.ModelChoiceField(SchoolClass.objects.none(), label="班级", required=False, empty_label="全部班级")
    only = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), ("open", "还没记录的"), ("done", "已记录的")])

    def __init__(self, *args: Any, classes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["school_class"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = classes
        for each in self.fields.values():
            each.widget.attrs["class"] = "form-select"


def errors_of(form: forms.BaseForm) -> list[str]:
    """All that is wrong, one sentence each."""
    return [str(message) for errors in form.errors.as_data().values() for error in errors for message in ValidationError(error).messages]
