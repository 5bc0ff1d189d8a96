"""The API's description, read into what its page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")
_TYPES = {"integer": "整数", "string": "文字", "boolean": "是非", "array": "列表", "object": "对象", "number": "数", "null": "空"}
_FORMATS = {"date": "日期", "date-time": "时间"}
#: By the name of a field: what an example shows. Figures here are examples of a call, no policy.
_EXAMPLES: dict[str, Any] = {
    "class_id": 42, "on_date": "2026-11-17", "week_from": "2026-11-16", "subject": "mathematics", "content": "练习册第 12 页第 1 至 5 题",
    "homework_minutes": 20, "grade": 3, "act": "correct", "reason": "已当面减去抄写作业，今后由年级组统筹",
    "intent": "巩固两位数乘法", "requirements": "书写工整，独立完成", "day": "2026-11-17", "hold": False,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One field or parameter."""

    name: str
    kind: str
    description: str
    is_required: bool
    choices: tuple[str, ...] = ()
    default: str = ""
    #: How deep it lies in the body.
    depth: int = 0


@dataclass(frozen=True)
class Answer:
    """One status with what comes back."""

    status: str
    description: str
    schema: str
    fields: tuple[Part, ...]


@dataclass(frozen=True)
class Described:
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: tuple[Part, ...]
    body: tuple[Part, ...]
    success: Answer
    refusals: tuple[Answer, ...]
    call: str


def operations_of(schema: Mapping[str, Any], origin: str) -> dict[str, list[Described]]:
    """Tag -> its operations; ``origin`` is where the calls to copy go."""
    groups: dict[str, list[Described]] = {}
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                groups.setdefault(operation["tags"][0], []).append(_described(schema, path, method, operation, origin))
    return groups


def _described(schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], origin: str) -> Described:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [_answer(schema, status, each) for status, each in operation["responses"].items()]
    return Described(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        scope=operation["x-scope"],
        parameters=tuple(
            _part(schema, each["name"], each["schema"], is_required=each["required"], place=each["in"]) for each in operation["parameters"]
        ),
        body=tuple(_fields(schema, body)) if body else (),
        success=answers[0],
        refusals=tuple(answers[1:]),
        call=_call(schema, path, method, operation, body, origin),
    )


def _answer(schema: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> Answer:
    shape = answer["content"]["application/json"]["schema"]
    title = _resolved(schema, shape).get("description", "")
    return Answer(status, answer["description"], title, tuple(_fields(schema, shape)))


def _resolved(schema: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    """A shape with its reference followed; of a choice, the one that is not empty."""
    found = dict(shape)
    while True:
        if "$ref" in found:
            reference = found.pop("$ref").rsplit("/", 1)[-1]
            found = {**schema["components"]["schemas"][reference], **found}
        elif "anyOf" in found:
            found = {**next(each for each in found.pop("anyOf") if each.get("type") != "null"), **found}
        elif "allOf" in found:
            found = {**found.pop("allOf")[0], **found}
        else:
            return found


def _fields(schema: Mapping[str, Any], shape: Mapping[str, Any], depth: int = 0) -> Iterator[Part]:
    whole = _resolved(schema, shape)
    for name, field in whole.get("properties", {}).items():
        yield _part(schema, name, field, is_required=name in whole.get("required", ()), depth=depth)
        inner = _resolved(schema, field)
        yield from _fields(schema, inner["items"] if inner.get("type") == "array" else inner, depth + 1)


def _part(schema: Mapping[str, Any], name: str, shape: Mapping[str, Any], *, is_required: bool, place: str = "", depth: int = 0) -> Part:
    whole = _resolved(schema, shape)
    kind = _FORMATS.get(whole.get("format", "")) or _TYPES.get(whole.get("type", ""), "任意")
    where = {"path": "，写在地址里", "header": "，请求头"}.get(place, "")
    default = whole.get("default")
    return Part(
        name=name,
        kind=kind + where,
        description=shape.get("description") or whole.get("description", ""),
        is_required=is_required,
        choices=tuple(str(each) for each in whole.get("enum", ())),
        default="" if default in (None, "", []) else json.dumps(default, ensure_ascii=False),
        depth=depth,
    )


def _example(schema: Mapping[str, Any], shape: Mapping[str, Any], name: str = "") -> Any:
    whole = _resolved(schema, shape)
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    if whole.get("type") == "array":
        return [_example(schema, whole["items"])]
    if "properties" in whole:
        shown = {each for each in whole["properties"] if each in whole.get("required", ())} or set(list(whole["properties"])[:1])
        shown |= {"reason"} & set(whole["properties"])
        return {each: _example(schema, field, each) for each, field in whole["properties"].items() if each in shown}
    return whole.get("default", 1 if whole.get("type") == "integer" else "…")


def _call(
    schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], body: Mapping[str, Any] | None, origin: str
) -> str:
    for each in operation["parameters"]:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(_example(schema, each["schema"], each["name"])))
    lines = [
        "curl" if method == "get" else f"curl -X {method.upper()}",
        f"  '{origin}{path}'",
        '  -H "Authorization: Bearer $QINGDAN_TOKEN"',
    ]
    if method != "get":
        lines.append('  -H "Idempotency-Key: $(uuidgen)"')
    if body:
        example = json.dumps(_example(schema, body), ensure_ascii=False)
        lines += ["  -H 'Content-Type: application/json'", f"  -d '{example}'"]
    return " \\\n".join(lines)
