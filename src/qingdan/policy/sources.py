"""Reading pack files so that every complaint names file, line and column.

YAML is read with a small, unsurprising set of scalars (whole numbers, true/false, dates, text): ``20:30`` and ``on``
stay text, a key given twice is a problem. The shape of each file is a pydantic model; what pydantic has against a
file is told in Chinese at the place where it stands.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where something stands in a pack: file, line and column, both counted from one."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """One complaint about a pack, in Chinese, at its place."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class PackError(Exception):
    """A pack that cannot be used; holds every problem found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Schema(BaseModel):
    """Base of every file shape: unknown keys are refused, values are never bent into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass
class Source:
    """One YAML file: its data as plain Python, and the place of each key and value.

    Sources outlive the loading, since notes are given at their places; ``data`` is let go once it has been understood.
    """

    file: str
    data: Any = None
    #: Key path -> line and column, both from one.
    marks: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def place(self, *path: str | int) -> Place:
        """The place of a key path, or of its nearest ancestor that the file has."""
        for length in range(len(path), -1, -1):
            if (found := self.marks.get(tuple(path[:length]))) is not None:
                return Place(self.file, *found)
        return Place(self.file)


_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]*)\Z")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


def _scalar(node: yaml.ScalarNode, problems: list[Problem], place: Place) -> Any:
    text: str = node.value
    if node.style:  # quoted or block: text as it stands
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.match(text):
        return int(text.replace("_", ""))
    if match := _DATE.match(text):
        try:
            return datetime.date(*(int(part) for part in match.groups()))
        except ValueError:
            problems.append(Problem(place, f"没有这一天：{text}"))
    return text


def _build(node: yaml.Node, source: Source, path: KeyPath, problems: list[Problem]) -> Any:
    place = Place(source.file, node.start_mark.line + 1, node.start_mark.column + 1)
    source.marks[path] = (place.line, place.column)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, problems, place)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, source, (*path, index), problems) for index, item in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key_place = Place(source.file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(key_place, "键必须是一个词，不能是列表或映射"))
            continue
        # A key is a word; only whole numbers (grades) are taken as what they look like.
        key: str | int = int(key_node.value) if _WHOLE.match(key_node.value) and not key_node.style else key_node.value
        if key in mapping:
            problems.append(Problem(key_place, f"键“{key}”重复出现"))
            continue
        mapping[key] = _build(value_node, source, (*path, key), problems)
        if isinstance(value_node, yaml.MappingNode | yaml.SequenceNode):
            source.marks[(*path, key)] = (key_place.line, key_place.column)
    return mapping


def read_yaml(path: Path, shown_as: str) -> Source:
    """Read one YAML file; raise PackError with the place where it is not YAML, or says a key twice."""
    source = Source(shown_as)
    problems: list[Problem] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PackError([Problem(Place(shown_as), f"不是 UTF-8 编码（第 {error.start + 1} 字节）；请另存为 UTF-8")]) from None
    except OSError as error:
        raise PackError([Problem(Place(shown_as), f"打不开：{error.strerror}")]) from None
    try:
        node = yaml.compose(text, Loader=yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(shown_as, mark.line + 1, mark.column + 1) if mark else Place(shown_as)
        raise PackError([Problem(place, f"不是合格的 YAML：{error.problem}")]) from None
    except yaml.YAMLError as error:
        raise PackError([Problem(Place(shown_as), f"不是合格的 YAML：{error}")]) from None
    if node is None:
        raise PackError([Problem(Place(shown_as), "文件是空的")])
    source.data = _build(node, source, (), problems)
    if problems:
        raise PackError(problems)
    return source


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint ``；是否想写“…”？`` with the nearest known name, or nothing when none is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"；是否想写“{close[0]}”？" if close else ""


_MESSAGES = {
    "missing": "缺少必填项“{name}”",
    "int_type": "应当是整数，却是 {input!r}",
    "string_type": "应当是文字，却是 {input!r}",
    "bool_type": "应当是 true 或 false，却是 {input!r}",
    "date_type": "应当是日期（如 2021-07-24），却是 {input!r}",
    "list_type": "应当是列表，却是 {input!r}",
    "tuple_type": "应当是列表，却是 {input!r}",
    "dict_type": "应当是“键: 值”的映射，却是 {input!r}",
    "model_type": "应当是“键: 值”的映射，却是 {input!r}",
    "too_short": "至少要有一项",
    "literal_error": "只能是 {expected}，却是 {input!r}",
}


def _told(error: ErrorDetails, known: Sequence[str]) -> str:
    name = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"不认识的键“{name}”{nearest(name, known)}"
    if error["type"] in ("value_error", "assertion_error"):
        return str(error.get("ctx", {}).get("error", error["msg"]))
    expected = str(error.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", "、")
    template = _MESSAGES.get(error["type"])
    return template.format(name=name, input=error["input"], expected=expected) if template else f"“{name}”：{error['msg']}"


def _known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys of every shape that could stand at a path: enough to hint at a misspelt one."""
    keys = dict.fromkeys(model.model_fields)
    for other in Schema.__subclasses__():
        if len(path) > 1:
            keys.update(dict.fromkeys(other.model_fields))
    return list(keys)


Shape = TypeVar("Shape", bound=BaseModel)


def parse(source: Source, model: type[Shape], data: Any = None, at: KeyPath = ()) -> Shape:
    """The data of a source (or of one item in it, at a key path) as ``model``; raise PackError with every misfit."""
    try:
        return model.model_validate(source.data if data is None else data)
    except ValidationError as error:
        problems = []
        for detail in error.errors():
            # Union members appear in pydantic's path as type names that the file does not have; `place` passes over them.
            path = tuple(part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("function-")))
            where = path[:-1] if detail["type"] == "missing" else path
            problems.append(Problem(source.place(*at, *where), _told(detail, _known_keys(model, path))))
        raise PackError(problems) from None
