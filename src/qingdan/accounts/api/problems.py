"""Whatever goes wrong, in one shape: a code for programs, a Chinese sentence for people, and where in the request it lies.

Shapes are Pydantic's plain models: Ninja's own reach through Django's records, which we do by name, at several times the price.

Domain apps teach it their own refusals with :func:`tells`; every operation and the API itself ask :func:`problem_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as RequestError
from pydantic import BaseModel, ConfigDict, Field

from qingdan.storage.refusals import constraint_of, message_of


class Cite(BaseModel):
    """条款"""

    clause: str = Field(description="条款编号，可在政策库打开")
    text: str = Field(description="文件与条款位置")


class Limit(BaseModel):
    """限值"""

    label: str = Field(description="限值名称")
    text: str = Field(description="数值与单位")
    layer: str = Field("", description="由哪一层政策规定")


class Objection(BaseModel):
    """政策为什么不允许"""

    rule: str = Field(description="规则编号")
    title: str = Field(description="规则标题")
    where: str = Field("", description="哪个班")
    sentence: str = Field(description="超出多少、限值多少")
    remedy: str = Field("", description="怎么改")
    limits: list[Limit] = Field(default_factory=list, description="所依据的限值")
    cites: list[Cite] = Field(default_factory=list, description="所依据的条款")


class Detail(BaseModel):
    """请求里的哪一处有问题"""

    field: str = Field("", description="位置，如 body.items.0.homework_minutes；说的是整个请求时为空")
    message: str = Field(description="说明")


class Problem(BaseModel):
    """没有办成的原因"""

    code: str = Field(description="给程序看的代码")
    message: str = Field(description="给人看的一句话，说明怎么办")
    details: list[Detail] = Field(default_factory=list, description="逐处说明")
    objections: list[Objection] = Field(default_factory=list, description="政策不允许时，逐条列出")


class Strict(BaseModel):
    """A body in which an unknown name is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


#: Code -> status and what it means, for the page of the API.
CODES: dict[str, tuple[int, str]] = {
    "bad_json": (400, "请求体不是 JSON"),
    "unauthorized": (401, "没有密钥，或密钥不对、已停用、已过期"),
    "scope_missing": (403, "密钥没有这项权限"),
    "not_allowed": (403, "这件事不由这个账户办理"),
    "not_found": (404, "没有，或不属于这个账户能看的范围"),
    "method_not_allowed": (405, "这个地址不接受这种方法"),
    "key_reused": (409, "同一个幂等键用在了另一个请求上"),
    "in_progress": (409, "同一个请求正在办理，稍后用同一个幂等键再问"),
    "conflict": (409, "与已有的记录冲突，或当前状态不允许"),
    "invalid": (422, "内容不合要求，逐处列在 details"),
    "against_the_law": (422, "政策不允许，逐条列在 objections；什么都没有保存"),
    "server_error": (500, "服务器出错，已记入日志"),
}


class Refusal(Exception):
    """A refusal that is none of the ones known elsewhere."""

    def __init__(self, code: str, message: str, *, details: list[Detail] | None = None, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, details=details or [])
        self.retry_after_seconds = retry_after_seconds


_tellers: dict[type[Exception], Callable[[Any], Problem]] = {}


def tells(kind: type[Exception]) -> Callable[[Callable[[Any], Problem]], Callable[[Any], Problem]]:
    """How a kind of exception is told; for the domain apps."""

    def decorate(teller: Callable[[Any], Problem]) -> Callable[[Any], Problem]:
        _tellers[kind] = teller
        return teller

    return decorate


def known_kinds() -> tuple[type[Exception], ...]:
    """The exceptions that are refusals; anything else is a fault of the server."""
    return tuple(_tellers)


def problem_of(error: Exception) -> Problem:
    """How a refusal is told; raises the error again when it is none."""
    for kind, teller in _tellers.items():
        if isinstance(error, kind):
            return teller(error)
    raise error


@tells(Refusal)
def _refusal(error: Refusal) -> Problem:
    return error.problem


@tells(AuthenticationError)
def _unauthorized(error: AuthenticationError) -> Problem:
    message = "请在 Authorization 头里带上有效的密钥：Bearer qd_…；密钥在网页“接口密钥”里发放"
    return Problem(code="unauthorized", message=message)


@tells(HttpError)
def _http(error: HttpError) -> Problem:
    return Problem(code="bad_json", message="请求体不是完整的 JSON，请检查引号、逗号和编码（UTF-8）")


@tells(Http404)
def _not_found(error: Http404) -> Problem:
    return Problem(code="not_found", message="没有找到：编号可能写错了，或者不属于这把密钥的账户能看的范围")


@tells(PermissionDenied)
def _not_allowed(error: PermissionDenied) -> Problem:
    return Problem(code="not_allowed", message="这件事不由这把密钥的账户办理")


@tells(ValidationError)
def _invalid(error: ValidationError) -> Problem:
    if not hasattr(error, "error_dict"):
        # ``state``: the record has moved on; the same request would have been right before.
        code = "conflict" if getattr(error, "code", None) == "state" else "invalid"
        return Problem(code=code, message="；".join(error.messages))
    details = [
        Detail(field="" if name == NON_FIELD_ERRORS else name, message="；".join(messages)) for name, messages in error.message_dict.items()
    ]
    return Problem(code="invalid", message="；".join(each.message for each in details), details=details)


@tells(IntegrityError)
def _conflict(error: IntegrityError) -> Problem:
    """A refusal of the database, in the words of the constraint that refused."""
    message = message_of(constraint_of(error), *apps.get_models())
    if message:
        return Problem(code="conflict", message=message)
    raise error


#: Pydantic's kinds of error -> Chinese; ``{…}`` are the error's own figures.
_WORDS = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段，请检查名称",
    "int_parsing": "要是整数",
    "int_type": "要是整数",
    "int_from_float": "要是整数",
    "bool_parsing": "要是 true 或 false",
    "bool_type": "要是 true 或 false",
    "string_type": "要是文字",
    "list_type": "要是列表",
    "model_attributes_type": "要是对象",
    "model_type": "要是对象",
    "dict_type": "要是对象",
    "date_parsing": "要是日期，如 2026-11-17",
    "date_type": "要是日期，如 2026-11-17",
    "date_from_datetime_parsing": "要是日期，如 2026-11-17",
    "date_from_datetime_inexact": "要是日期，不带时间，如 2026-11-17",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "string_too_long": "最多 {max_length} 个字",
    "string_too_short": "至少 {min_length} 个字",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
}


def detail_of(error: Mapping[str, Any]) -> Detail:
    """One of pydantic's errors in Chinese."""
    where = [str(part) for part in error["loc"]]
    # The name of the one parameter that holds a body says nothing to who wrote the body.
    if where[0] == "body":
        where[1:2] = []
    words = _WORDS.get(error["type"])
    figures = {name: str(value).replace(" or ", " 或 ") for name, value in (error.get("ctx") or {}).items()}
    return Detail(field=".".join(where), message=words.format(**figures) if words else f"不合要求（{error['msg']}）")


@tells(RequestError)
def _request(error: RequestError) -> Problem:
    details = [detail_of(each) for each in error.errors]
    first = details[0]
    more = f"，另有 {len(details) - 1} 处" if len(details) > 1 else ""
    return Problem(code="invalid", message=f"{first.field} {first.message}{more}", details=details)


def told(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request that was refused."""
    problem = problem_of(error)
    status = CODES[problem.code][0]
    response = JsonResponse(problem.model_dump(mode="json"), status=status, json_dumps_params={"ensure_ascii": False})
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="qingdan"'
    if isinstance(error, Refusal) and error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response
