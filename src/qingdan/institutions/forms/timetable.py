"""Forms of the timetable: a weekly plan, one session, a room, a workbook."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from qingdan.institutions.enums import StaffRole, TrainingMode, Weekday
from qingdan.institutions.models import Course, Institution, Premises, Room, Session, Staff, WeeklyPlan
from qingdan.places.calendar import today

_SPAN_DAYS_MAX = 370
_FILE_BYTES_MAX = 5 * 1024 * 1024
_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods", ".csv")


def _clock(label: str) -> forms.TimeField:
    """A time of day as the browser's own field."""
    return forms.TimeField(
        label=label,
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "form-control"}),
        error_messages={"required": f"请填{label}", "invalid": f"{label}要写成 18:30 的样子"},
    )


def _day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"}),
        error_messages={"required": f"请填{label}", "invalid": f"{label}要写成 2026-11-18 的样子"},
    )


class _NamedField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Records by name; a course that is taught online says so, for other rules hold for it."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj}（线上）" if getattr(obj, "mode", "") == TrainingMode.ONLINE else str(obj)


def _one_of(label: str, *, required: bool = True, empty: str = "请选择") -> forms.ModelChoiceField[Any]:
    return _NamedField(
        label=label,
        queryset=None,
        required=required,
        empty_label=empty,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"required": f"请选{label}", "invalid_choice": f"没有这个{label}，请在列表里选"},
    )


def minutes_of(clock: datetime.time) -> int:
    """Minutes since midnight."""
    return clock.hour * 60 + clock.minute


def clock_of(minutes: int) -> datetime.time:
    """The time of day; midnight at the end of a day as the last minute before it."""
    return datetime.time(*divmod(min(minutes, 24 * 60 - 1), 60))


class _RoomField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Rooms with their premises: two premises may have a room of one name."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.premises.name} · {obj.name}（{obj.seats} 座）"


class _When(forms.Form):
    """When, where and by whom."""

    starts_at = _clock("开始时间")
    ends_at = _clock("结束时间")
    room = _RoomField(
        label="教室",
        queryset=None,
        required=False,
        empty_label="线上课可不选",
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": "没有这间教室，请在列表里选"},
    )
    teacher = _one_of("教师")

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.institution = institution
        self._offer("room", Room.objects.filter(premises__institution=institution).select_related("premises"))
        self._offer("teacher", Staff.objects.filter(institution=institution, role=StaffRole.TEACHING))

    def _offer(self, name: str, queryset: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = queryset

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "结束时间要晚于开始时间，都在同一天")
        return data


class PlanForm(_When):
    """A course every week on a weekday, between two days; one single date is a span of one day."""

    course = _one_of("课程")
    weekday = forms.ChoiceField(label="每周", choices=Weekday.choices, widget=forms.Select(attrs={"class": "form-select"}))
    first_day = _day("起始日期")
    last_day = _day("截止日期", "只排一次的，起止填同一天。")
    field_order = ("course", "weekday", "starts_at", "ends_at", "first_day", "last_day", "room", "teacher")

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any) -> None:
        super().__init__(*args, institution=institution, **kwargs)
        courses = Course.objects.filed().filter(institution=institution, ends_on__gte=today())
        self._offer("course", courses.select_related("institution__organisation", "permit"))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "截止日期不能早于起始日期")
        elif first and last and (last - first).days > _SPAN_DAYS_MAX:
            self.add_error("last_day", "一次最多排一年；请把截止日期提前，到时再续排")
        return data

    def plan(self) -> WeeklyPlan:
        """The plan as filled in, not saved. A span of one day says its weekday itself."""
        data = self.cleaned_data
        first, last = data["first_day"], data["last_day"]
        return WeeklyPlan(
            course=data["course"],
            weekday=str(first.isoweekday()) if first == last else data["weekday"],
            starts_at=minutes_of(data["starts_at"]),
            ends_at=minutes_of(data["ends_at"]),
            first_day=first,
            last_day=last,
            room=data["room"],
            teacher=data["teacher"],
        )


class SessionForm(_When):
    """One session on another day, at another time, in another room, by another teacher."""

    on_date = _day("上课日期")
    field_order = ("on_date", "starts_at", "ends_at", "room", "teacher")

    @classmethod
    def of(cls, session: Session, data: Any = None) -> SessionForm:
        """The form with what the session says now."""
        initial = {
            "on_date": session.on_date,
            "starts_at": clock_of(session.starts_at),
            "ends_at": clock_of(session.ends_at),
            "room": session.room_id,
            "teacher": session.teacher_id,
        }
        return cls(data, institution=session.institution, initial=initial)

    def changes(self) -> dict[str, Any]:
        """What :func:`actions.timetable.change` takes."""
        data = self.cleaned_data
        clocks = {"starts_at": minutes_of(data["starts_at"]), "ends_at": minutes_of(data["ends_at"])}
        return {"on_date": data["on_date"], "room": data["room"], "teacher": data["teacher"], **clocks}


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]
    """A room of one's own premises."""

    class Meta:
        model = Room
        fields = ("premises", "name", "seats")

    def __init__(self, *args: Any, institution: Institution, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        premises = self.fields["premises"]
        assert isinstance(premises, forms.ModelChoiceField)
        premises.queryset = Premises.objects.filter(institution=institution)
        premises.empty_label = "请选择"
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "premises" else "form-control"
            field.error_messages["required"] = f"请填{field.label}"

    def clean_seats(self) -> int:
        """Refuse a room without a seat."""
        seats = int(self.cleaned_data["seats"])
        if seats < 1:
            raise ValidationError("座位至少 1 个")
        return seats


class TimetableFileForm(forms.Form):
    """A workbook with sessions."""

    workbook = forms.FileField(
        label="课表文件",
        widget=forms.FileInput(attrs={"class": "form-control", "accept": ",".join(_SUFFIXES)}),
        error_messages={"required": "请选择文件", "empty": "文件是空的（0 字节）；请检查是否保存完整"},
    )

    def clean_workbook(self) -> Any:
        """Refuse what is no table, or too large a one."""
        file = self.cleaned_data["workbook"]
        if Path(file.name).suffix.lower() not in _SUFFIXES:
            raise ValidationError("不是认识的表格文件；请另存为 .xlsx（或 .xls、.ods、.csv）再上传")
        if file.size > _FILE_BYTES_MAX:
            raise ValidationError(f"文件超过 {_FILE_BYTES_MAX // 1024 // 1024} MB；请按月分成几个文件再上传")
        return file
