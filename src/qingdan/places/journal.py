"""What an act changed, record by record, and putting it back exactly.

An act writes through a :class:`Journal`. Its entries are plain JSON: kept in a session for the undo of a small act, or beside an
import. Undoing goes backwards. It refuses, with the reason, when a record is no longer what the act left, or when something else has
come to depend on what the act made: nothing that came later is ever lost.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.http import HttpRequest

Values = dict[str, Any]
Entry = dict[str, Any]
#: Models whose records that fit are simply deleted with what they hang on.
Discardable = Mapping[type[models.Model], Q]

_BATCH = 1000
_REASONS_SHOWN = 5
#: The session keeps the last small act of its user.
_SESSION_KEY = "undo"
_SESSION_ENTRIES_MAX = 2000


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date | datetime.datetime) else value


def _values(record: models.Model, names: Iterable[str] | None = None) -> Values:
    fields = record._meta.concrete_fields
    wanted = None if names is None else set(names)
    return {each.attname: _plain(getattr(record, each.attname)) for each in fields if wanted is None or each.attname in wanted}


def _python(model: type[models.Model], values: Values) -> Values:
    fields = {each.attname: each for each in model._meta.concrete_fields}
    return {name: None if value is None else fields[name].to_python(value) for name, value in values.items()}


def _model(label: str) -> type[models.Model]:
    return apps.get_model(label)


def _said(record: models.Model) -> str:
    return f"{record._meta.verbose_name}“{record}”"


class Journal:
    """Writes records and remembers how they were."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def _note(self, record: models.Model, before: Values | None, after: Values | None) -> None:
        self.entries.append({"model": record._meta.label, "pk": record.pk, "before": before, "after": after})

    def create(self, record: models.Model) -> None:
        """Save a new record."""
        record.save(force_insert=True)
        self._note(record, None, _values(record))

    def create_all(self, records: Sequence[models.Model]) -> None:
        """Save new records of one model together."""
        if records:
            type(records[0])._base_manager.bulk_create(records, batch_size=_BATCH)
            for each in records:
                self._note(each, None, _values(each))

    def change(self, record: models.Model, **changes: Any) -> None:
        """Change fields of a saved record; a value that is the same already is no change."""
        names = {record._meta.get_field(name).attname: name for name in changes}  # type: ignore[union-attr]
        before = _values(record, names)
        for name, value in changes.items():
            setattr(record, name, value)
        after = _values(record, names)
        changed = [attname for attname in names if before[attname] != after[attname]]
        if changed:
            record.save(update_fields=[names[each] for each in changed])
            self._note(record, {each: before[each] for each in changed}, {each: after[each] for each in changed})

    def change_all(self, records: Sequence[models.Model], field: str, value: Any) -> None:
        """Give one field of records of one model the same value, together."""
        attname: str = records[0]._meta.get_field(field).attname if records else ""  # type: ignore[union-attr]
        changed = []
        for each in records:
            before = _values(each, [attname])
            setattr(each, field, value)
            if (after := _values(each, [attname])) != before:
                changed.append(each)
                self._note(each, before, after)
        if changed:
            type(changed[0])._base_manager.filter(pk__in=[each.pk for each in changed]).update(**{field: value})

    def delete(self, record: models.Model) -> None:
        """Delete a record that nothing hangs on."""
        self._note(record, _values(record), None)
        record.delete()


def undo(entries: Sequence[Entry], *, discard: Discardable | None = None) -> None:
    """Put everything back as it was before; raise ValidationError, with reasons, when something came later. All or nothing."""
    with transaction.atomic():
        if reasons := [*_changed_since(entries), *_hanging_on(entries, discard or {})]:
            more = f"等 {len(reasons)} 处" if len(reasons) > _REASONS_SHOWN else ""
            raise ValidationError(f"不能撤销：{'；'.join(reasons[:_REASONS_SHOWN])}{more}。请先处理这些后来的记录，或逐项手工修改")
        try:
            with transaction.atomic():
                for (label, is_new), group in groupby(reversed(entries), lambda each: (each["model"], each["before"] is None)):
                    _put_back(_model(label), list(group), is_new=is_new, discard=discard or {})
        except IntegrityError:
            raise ValidationError("不能撤销：后来的记录与原来的冲突，请逐项手工修改") from None


def _put_back(model: type[models.Model], group: list[Entry], *, is_new: bool, discard: Discardable) -> None:
    manager = model._base_manager
    if is_new:
        pks = [each["pk"] for each in group]
        for related, rule in discard.items():
            for field in _links(related, model):
                related._base_manager.filter(rule, **{f"{field}__in": pks}).delete()
        manager.filter(pk__in=pks).delete()
        return
    for (is_deleted, names), same in groupby(group, lambda each: (each["after"] is None, tuple(each["before"]))):
        _restore(model, list(same), names, is_deleted=is_deleted)


def _restore(model: type[models.Model], group: list[Entry], names: tuple[str, ...], *, is_deleted: bool) -> None:
    manager = model._base_manager
    if is_deleted:
        manager.bulk_create([model(**_python(model, each["before"])) for each in group], batch_size=_BATCH)
    elif len({each["pk"] for each in group}) == len(group) > 1:
        records = [model(pk=each["pk"], **_python(model, each["before"])) for each in group]
        fields = [field.name for field in model._meta.concrete_fields if field.attname in names]
        manager.bulk_update(records, fields, batch_size=_BATCH)
    else:
        # A record changed more than once goes back step by step.
        for each in group:
            manager.filter(pk=each["pk"]).update(**_python(model, each["before"]))


def _changed_since(entries: Sequence[Entry]) -> list[str]:
    """Records that are not as the act left them."""
    left: dict[str, dict[Any, Values | None]] = defaultdict(dict)
    for each in entries:
        known = left[each["model"]].get(each["pk"])
        left[each["model"]][each["pk"]] = None if each["after"] is None else {**(known or {}), **each["after"]}
    found = []
    for label, records in left.items():
        model = _model(label)
        now = model._base_manager.in_bulk(list(records))
        for pk, after in records.items():
            record = now.get(pk)
            if record is None and after is not None:
                found.append(f"有一条{model._meta.verbose_name}后来被删除")
            elif record is not None and after is None:
                found.append(f"{_said(record)}后来又建立了")
            elif record is not None and after is not None:
                names = [name for name, value in _values(record, after).items() if value != after[name] and name != "last_login"]
                if names:
                    labels = "、".join(str(each.verbose_name) for each in model._meta.concrete_fields if each.attname in names)
                    found.append(f"{_said(record)}的{labels}后来又有改动")
    return found


def _links(related: type[models.Model], model: type[models.Model]) -> list[str]:
    return [each.attname for each in related._meta.concrete_fields if each.is_relation and each.related_model is model]


def _hanging_on(entries: Sequence[Entry], discard: Discardable) -> list[str]:
    """What names a record that the act made, and was not made by the act itself."""
    made: dict[type[models.Model], list[Any]] = defaultdict(list)
    touched: dict[type[models.Model], set[Any]] = defaultdict(set)
    for each in entries:
        model = _model(each["model"])
        touched[model].add(each["pk"])
        if each["before"] is None:
            made[model].append(each["pk"])
    found = []
    for model, pks in made.items():
        for relation in model._meta.related_objects:
            # Kept histories (pghistory) name what is gone on purpose: DO_NOTHING.
            if relation.on_delete is models.DO_NOTHING or relation.many_to_many:
                continue
            related, name = relation.related_model, relation.field.name
            hanging = related._base_manager.filter(**{f"{name}__in": pks}).exclude(pk__in=touched[related])
            if related in discard:
                hanging = hanging.exclude(discard[related])
            first = hanging.select_related(name).first()
            if first is not None:
                found.append(f"{_said(getattr(first, name))}后来有了{related._meta.verbose_name}（{hanging.count()} 条）")
    return found


def remember(request: HttpRequest, what: str, journal: Journal, *, scope: str) -> None:
    """Let the user take back the act just done; ``scope`` says on whose pages the button stands."""
    if journal.entries and len(journal.entries) <= _SESSION_ENTRIES_MAX:
        request.session[_SESSION_KEY] = {"scope": scope, "what": what, "entries": journal.entries}


def remembered(request: HttpRequest, scope: str) -> str:
    """What would be taken back, in words; empty when there is nothing."""
    kept = request.session.get(_SESSION_KEY)
    return str(kept["what"]) if kept and kept["scope"] == scope else ""


def undo_remembered(request: HttpRequest, scope: str, *, discard: Discardable | None = None) -> str:
    """Take back the last act and say what it was; raise ValidationError when there is none or it cannot be."""
    kept = request.session.get(_SESSION_KEY)
    if not kept or kept["scope"] != scope:
        raise ValidationError("没有可以撤销的操作；它可能已经撤销过了")
    undo(kept["entries"], discard=discard)
    del request.session[_SESSION_KEY]
    return str(kept["what"])


def forget(request: HttpRequest) -> None:
    """There is nothing to take back any more."""
    request.session.pop(_SESSION_KEY, None)
