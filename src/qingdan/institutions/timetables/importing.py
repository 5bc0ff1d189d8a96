"""From a workbook to sessions, not saved: each row finds its course, room and teacher, or says why not."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from qingdan.institutions.actions.timetable import key_of
from qingdan.institutions.models import Course, Institution, Room, Session, Staff
from qingdan.places.calendar import current_pack
from qingdan.workbooks import InputError, ParquetTable, ReadingLimits, Table, read

_KIND = "training_session"
_LIMITS = ReadingLimits(max_file_bytes=5 * 1024 * 1024, max_uncompressed_bytes=60 * 1024 * 1024, max_rows=5000)
_NEEDED = ("course", "on_date", "starts_at", "ends_at", "teacher")


@dataclass(frozen=True)
class Problem:
    """A row that can be no session, and why."""

    where: str
    reason: str


@dataclass
class TimetableReading:
    """What a workbook holds."""

    sessions: list[Session] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _NoSession(Exception):
    """The row is none; the message says what to do."""


@dataclass
class _Names:
    """What an institution has, by the names that people write."""

    institution: Institution
    courses: dict[str, list[Course]]
    rooms: dict[str, list[Room]]
    teachers: dict[str, list[Staff]]

    @classmethod
    def of(cls, institution: Institution) -> _Names:
        rooms: dict[str, list[Room]] = defaultdict(list)
        for room in Room.objects.filter(premises__institution=institution).select_related("premises"):
            for name in (room.name, f"{room.premises.name}{room.name}"):
                rooms[_squeezed(name)].append(room)
        for name, found in _by_premises(rooms).items():
            rooms.setdefault(name, found)
        courses = Course.objects.filter(institution=institution).select_related("institution__organisation", "permit")
        return cls(institution, _grouped(courses), rooms, _grouped(Staff.objects.filter(institution=institution)))

    def session(self, row: dict[str, Any], labels: dict[str, str]) -> Session:
        """The session that a row means; raise _NoSession when it is not clear."""
        if missing := [labels[name] for name in _NEEDED if row.get(name) is None]:
            raise _NoSession(f"缺少{'、'.join(missing)}，请补上")
        named = row.get("institution")
        if named and _squeezed(named) != _squeezed(self.institution.name):
            raise _NoSession(f"写的是别的机构“{named}”；这里只收“{self.institution.name}”的课")
        day = row["on_date"]
        course = _the_one("课程", row["course"], self.courses, lambda each: each.starts_on <= day <= each.ends_on)
        teacher = _the_one(
            "教师",
            row["teacher"],
            self.teachers,
            lambda each: each.employed_from <= day and (each.employed_until is None or day <= each.employed_until),
        )
        room = _the_one("教室", row["premises"], self.rooms, lambda each: each.premises.is_open(day)) if row.get("premises") else None
        return Session(
            institution=self.institution,
            course=course,
            on_date=day,
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            room=room,
            teacher=teacher,
        )


def _squeezed(text: str) -> str:
    return "".join(each for each in text if each not in " \u3000/／·-—")


def _grouped(records: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for each in records:
        groups[_squeezed(each.name)].append(each)
    return groups


def _by_premises(rooms: dict[str, list[Room]]) -> dict[str, list[Room]]:
    """Premises by their name stand for all their rooms: enough where there is only one."""
    found: dict[str, dict[int, Room]] = defaultdict(dict)
    for several in rooms.values():
        for room in several:
            found[_squeezed(room.premises.name)][room.pk] = room
    return {name: list(several.values()) for name, several in found.items()}


def _the_one(what: str, name: str, known: dict[str, list[Any]], fits: Any) -> Any:
    """The record of a name; of several, the one that fits the day."""
    found = known.get(_squeezed(name), [])
    if not found:
        raise _NoSession(f"没有找到{what}“{name}”；请核对名称，或先登记")
    fitting = [each for each in found if fits(each)] if len(found) > 1 else found
    if len(fitting) != 1:
        hint = "请写成“教学点 / 教室”" if what == "教室" else "请改用页面逐次排课"
        raise _NoSession(f"叫“{name}”的{what}不止一个，分不清；{hint}")
    return fitting[0]


def read_timetable(institution: Institution, file: UploadedFile[Any]) -> TimetableReading:
    """The sessions of a workbook; raise InputError when nothing of it can be used."""
    pack = current_pack()
    kind = pack.vocabulary.kinds[_KIND]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"课表{Path(file.name or '').suffix.lower()}"
        path.write_bytes(file.read())
        grade_names = pack.layer(institution.organisation.layer_code).grade_names
        found = read([path], pack.vocabulary, kinds={path: _KIND}, grade_names=grade_names, limits=_LIMITS)
    labels = {name: column.label for name, column in kind.columns.items()}
    tables = [each for each in found.tables if not isinstance(each, ParquetTable)]
    _refuse_missing(tables, labels)
    result = TimetableReading()
    unread = {(each.sheet, each.row): each for each in found.unreadable if each.row is not None}
    names = _Names.of(institution)
    seen: dict[str, str] = {}
    for table in tables:
        for index, number in enumerate(table.rows):
            where = _where(table.sheet, number)
            if cell := unread.pop((table.sheet, number), None):
                result.problems.append(Problem(where, f"{cell.column or ''}“{cell.value}”：{cell.reason}"))
                continue
            row = {name: values[index] for name, values in table.columns.items()}
            try:
                session = names.session(row, labels)
            except _NoSession as error:
                result.problems.append(Problem(where, str(error)))
                continue
            if (key := key_of(session)) in seen:
                result.problems.append(Problem(where, f"与{seen[key]}完全相同，只算一次"))
            else:
                seen[key] = where
                result.sessions.append(session)
    if not result.sessions and not result.problems and not unread:
        raise InputError(["表头下面没有一行课次；请填好后再上传"])
    for each in unread.values():
        result.problems.append(Problem(_where(each.sheet, each.row), each.reason))
    return result


def _where(sheet: str | None, row: int | None) -> str:
    return f"{f'“{sheet}”' if sheet else ''}第 {row} 行" if row else f"“{sheet}”"


def _refuse_missing(tables: Sequence[Table], labels: dict[str, str]) -> None:
    for table in tables:
        if missing := [labels[name] for name in _NEEDED if name not in table.present]:
            raise InputError([f"表头缺少列：{'、'.join(missing)}；请补上，或下载空表对照"])
    if not tables:
        raise InputError(["没有找到课表的表头；请下载空表，填好后再上传"])
