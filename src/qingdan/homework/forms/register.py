"""The form with which homework is given: what is said once, and one part for each tier."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorList
from django.http import QueryDict

from qingdan.accounts.models import User
from qingdan.homework.actions.register import refuse_day
from qingdan.homework.enums import DoneBy, HomeworkForm, HomeworkPlace, HomeworkTier, MarkedBy
from qingdan.homework.models import Design, Homework
from qingdan.homework.models.register import MINUTES_MAX
from qingdan.places.calendar import SchoolCalendar
from qingdan.schools.models import SchoolClass, Subject, TeachingAssignment

_RANGE = f"预计时长要在 0 至 {MINUTES_MAX} 分钟之间"
#: What a draft is called in a judgement while nothing is written yet.
_UNNAMED = "（未写）"
_COMMON = ("unit", "requirements", "intent", "marked_by", "done_by", "needs_parent", "is_assigned_in_class")


def _chips(label: str, choices: list[tuple[str, str]], initial: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        initial=initial,
        widget=forms.RadioSelect,
        error_messages={"required": f"请选择{label}", "invalid_choice": f"请在所列的{label}里选择"},
    )


def _box(label: str, *, initial: bool = False) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, initial=initial, widget=forms.CheckboxInput(attrs={"class": "form-check-input"}))


def _text(label: str, length: int, placeholder: str = "") -> forms.CharField:
    attrs = {"class": "form-control", "placeholder": placeholder, "autocomplete": "off"}
    too_long = f"{label}最多 {length} 字，请写短些"
    return forms.CharField(
        label=label, max_length=length, required=False, widget=forms.TextInput(attrs=attrs), error_messages={"max_length": too_long}
    )


class TierForm(forms.Form):
    """One tier: what, how long, in which form and where."""

    is_on = forms.BooleanField(required=False)
    content = forms.CharField(
        label="作业内容",
        max_length=500,
        error_messages={"required": "请写明作业内容", "max_length": "作业内容最多 500 字，请写短些"},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "placeholder": "例如：练习册第 12 页 1–4 题"}),
    )
    homework_minutes = forms.IntegerField(
        label="预计时长（分钟）",
        min_value=0,
        max_value=MINUTES_MAX,
        error_messages={
            "required": "请填写预计时长（分钟）",
            "invalid": "预计时长请填整数分钟，例如 15",
            "min_value": _RANGE,
            "max_value": _RANGE,
        },
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric", "placeholder": "分钟"}),
    )
    form = _chips("类型", HomeworkForm.choices, HomeworkForm.WRITTEN)
    done_at = _chips("完成地点", HomeworkPlace.choices, HomeworkPlace.HOME)
    is_optional = _box("学生选做")
    design = forms.IntegerField(required=False, widget=forms.HiddenInput)

    use_required_attribute = False

    def __init__(self, tier: HomeworkTier, data: QueryDict | None, *, user: User, initial: dict[str, Any]) -> None:
        super().__init__(data, prefix=tier.value, initial=initial)
        self.tier, self.user = tier, user
        self.fields["is_on"].label = tier.label
        if not self.is_bound:
            self.initial.setdefault("is_optional", tier == HomeworkTier.EXTENDED)

    @property
    def is_wanted(self) -> bool:
        """Whether homework of this tier is wanted; the basic one always is."""
        return self.tier == HomeworkTier.BASIC or bool(self["is_on"].value())

    @property
    def is_blank(self) -> bool:
        """Whether nothing has been written into it."""
        return not str(self["content"].value() or "").strip() and self["homework_minutes"].value() in (None, "")

    def clean_design(self) -> Design | None:
        """A design of the school's library; one that is no longer there is simply not named."""
        key = self.cleaned_data["design"]
        return Design.objects.visible_to(self.user).published().filter(pk=key).first() if key else None

    def clean_is_optional(self) -> bool:
        """Basic homework is for everybody."""
        return bool(self.cleaned_data["is_optional"]) and self.tier != HomeworkTier.BASIC

    def values(self) -> dict[str, Any]:
        """What is given, in the model's names."""
        names = ("content", "homework_minutes", "form", "done_at", "is_optional", "design")
        return {"tier": self.tier.value} | {name: self.cleaned_data[name] for name in names}

    def draft(self) -> dict[str, Any] | None:
        """What can be judged while it is still being written; None until there are minutes."""
        self.is_valid()
        data = self.cleaned_data
        if data.get("homework_minutes") is None or not data.get("form") or not data.get("done_at"):
            return None
        return {
            "tier": self.tier.value,
            "content": data.get("content") or _UNNAMED,
            "homework_minutes": data["homework_minutes"],
            "form": data["form"],
            "done_at": data["done_at"],
            "is_optional": data.get("is_optional", False),
        }


class CommonForm(forms.Form):
    """What is said once for all tiers, whether homework is new or changed."""

    on_date = forms.DateField(
        label="布置日期",
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        error_messages={"required": "请选择布置日期", "invalid": "日期请写成 2026-11-17 这样"},
    )
    unit = _text("单元", 60, "例如：第三单元")
    requirements = _text("完成要求", 300, "例如：写清过程")
    intent = _text("设计意图", 300, "例如：巩固笔算除法")
    marked_by = _chips("批改方式", MarkedBy.choices, MarkedBy.TEACHER)
    done_by = _chips("完成人", DoneBy.choices, DoneBy.PUPIL)
    needs_parent = _box("没有家长做不成")
    is_assigned_in_class = _box("当堂布置", initial=True)

    use_required_attribute = False

    def common(self) -> dict[str, Any]:
        """What all tiers share, in the model's names."""
        return {name: self.cleaned_data[name] for name in _COMMON if name in self.cleaned_data}


class EntryForm(CommonForm):
    """New homework: which subject and classes besides."""

    batch = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": "页面已过期，请重新打开“登记作业”"})
    subject = forms.TypedChoiceField(
        label="学科",
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择学科", "invalid_choice": "您现在不教这门学科"},
    )
    classes = forms.TypedMultipleChoiceField(
        label="班级",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "请至少选一个班",
            "invalid_choice": "所选的班里有您现在不任教的班；任课有变请联系学校教务更新任课表",
        },
    )

    def __init__(self, *args: Any, assignments: list[TeachingAssignment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taught: dict[tuple[int, int], TeachingAssignment] = {(each.school_class_id, each.subject_id): each for each in assignments}
        self.known_classes: dict[int, SchoolClass] = {each.school_class_id: each.school_class for each in assignments}
        self.known_subjects: dict[int, Subject] = {each.subject_id: each.subject for each in assignments}
        subject, classes = self.fields["subject"], self.fields["classes"]
        assert isinstance(subject, forms.ChoiceField)
        assert isinstance(classes, forms.ChoiceField)
        subject.choices = [(key, each.name) for key, each in self.known_subjects.items()]
        classes.choices = [(key, each.name) for key, each in self.known_classes.items()]
        if len(self.known_subjects) == 1:
            subject.initial = next(iter(self.known_subjects))
        if len(self.known_classes) == 1:
            classes.initial = list(self.known_classes)

    def clean(self) -> dict[str, Any]:
        """Refuse a subject that is not taught in a chosen class, and a day on which a class has no school."""
        data = super().clean() or {}
        subject, day = data.get("subject"), data.get("on_date")
        for school_class in self.chosen_classes():
            if subject is not None and (school_class.pk, subject) not in self.taught:
                name = self.known_subjects[subject].name
                self.add_error("classes", f"您在{school_class}不教{name}；任课有变请联系学校教务更新任课表")
        if day is not None:
            try:
                calendar = None
                for school_class in self.chosen_classes():
                    calendar = calendar or SchoolCalendar(school_class.school.organisation.layer_code)
                    refuse_day(school_class, day, calendar=calendar)
            except ValidationError as error:
                self.add_error("on_date", error)
        return data

    def chosen_classes(self) -> list[SchoolClass]:
        """The chosen classes, in the order of their names."""
        chosen = set(self.cleaned_data.get("classes") or ())
        return [each for key, each in self.known_classes.items() if key in chosen]

    def subjects_of_classes(self) -> dict[int, str]:
        """Class -> the subjects the teacher has there, as the page's script compares them."""
        found: dict[int, list[str]] = {}
        for class_id, subject_id in self.taught:
            found.setdefault(class_id, []).append(str(subject_id))
        return {key: " ".join(values) for key, values in found.items()}


class Entry:
    """The form and its tiers as one."""

    def __init__(
        self,
        user: User,
        assignments: list[TeachingAssignment],
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
        tiers: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.user = user
        self.form = EntryForm(data, assignments=assignments, initial={"batch": uuid.uuid4()} | dict(initial or {}))
        self.tiers = [
            TierForm(tier, data, user=user, initial={"is_on": tier.value in (tiers or {})} | dict((tiers or {}).get(tier.value, {})))
            for tier in HomeworkTier
        ]

    @property
    def tiers_in_use(self) -> list[TierForm]:
        """The tiers that are to be given; the basic one may stay blank where there is another."""
        wanted = [tier for tier in self.tiers if tier.is_wanted]
        return [tier for tier in wanted if tier.tier != HomeworkTier.BASIC or len(wanted) == 1 or not tier.is_blank]

    def is_valid(self) -> bool:
        """Whether everything that is to be given is right."""
        return all([self.form.is_valid(), *(tier.is_valid() for tier in self.tiers_in_use)])

    @property
    def errors(self) -> list[str]:
        """Everything that is wrong, for the line above the form."""
        found: list[ErrorList] = [*self.form.errors.values()]
        for tier in self.tiers_in_use:
            found += tier.errors.values()
        return list(dict.fromkeys(str(each) for errors in found for each in errors))

    def items(self) -> list[Homework]:
        """The homework of a valid form: one for each class and tier, not saved."""
        return self._items([tier.values() for tier in self.tiers_in_use], self.form.cleaned_data["batch"])

    def draft(self) -> list[Homework]:
        """What can be judged already, while the form is being filled in; nothing as long as subject, day and classes are missing."""
        self.form.is_valid()
        data = self.form.cleaned_data
        if data.get("subject") is None or data.get("on_date") is None or "classes" not in data:
            return []
        # A batch of its own: the question may arrive after the answer has been saved.
        return self._items([values for tier in self.tiers_in_use if (values := tier.draft()) is not None], uuid.uuid4())

    def _items(self, tiers: Iterable[Mapping[str, Any]], batch: uuid.UUID) -> list[Homework]:
        data = self.form.cleaned_data
        shared = self.form.common() | {"on_date": data["on_date"], "subject": self.form.known_subjects[data["subject"]]}
        return [
            Homework(school_class=school_class, teacher=self.user, batch=batch, **shared, **values)
            for school_class in self.form.chosen_classes()
            for values in tiers
        ]


class Change:
    """One piece of homework being changed: its tier, and what is said besides."""

    def __init__(self, item: Homework, user: User, data: QueryDict | None = None) -> None:
        self.item = item
        names = ("content", "homework_minutes", "form", "done_at", "is_optional")
        initial = {name: getattr(item, name) for name in names} | {"is_on": True, "design": item.design_id}
        self.form = CommonForm(data, initial={"on_date": item.on_date} | {name: getattr(item, name) for name in _COMMON})
        self.tier = TierForm(HomeworkTier(item.tier), data, user=user, initial=initial)
        self.day_before: datetime.date = item.on_date

    @property
    def tiers(self) -> list[TierForm]:
        """The one tier, as the templates take them."""
        return [self.tier]

    def is_valid(self) -> bool:
        """Whether everything is right."""
        return all([self.form.is_valid(), self.tier.is_valid()])

    @property
    def errors(self) -> list[str]:
        """Everything that is wrong, for the line above the form."""
        found = [*self.form.errors.values(), *self.tier.errors.values()]
        return list(dict.fromkeys(str(each) for errors in found for each in errors))

    def changes(self) -> dict[str, Any]:
        """What is to be changed, in the model's names."""
        values = self.tier.values()
        del values["tier"]
        return self.form.common() | values | {"on_date": self.form.cleaned_data["on_date"]}

    def draft(self) -> Homework | None:
        """The homework in memory as the form has it so far; None while it cannot be judged."""
        self.form.is_valid()
        values = self.tier.draft()
        if values is None or self.form.cleaned_data.get("on_date") is None:
            return None
        for name, value in (self.form.common() | values | {"on_date": self.form.cleaned_data["on_date"]}).items():
            setattr(self.item, name, value)
        return self.item
