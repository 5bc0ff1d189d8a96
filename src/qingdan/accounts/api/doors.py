"""Operations: which scope opens each, as whom it acts, and that a write happens once.

A write brings an ``Idempotency-Key``. The key is taken in a transaction of its own; the work and its answer are then kept in one
transaction that holds the key's row. So the same request again gets the same answer, two at once do the work once (the second is told
to ask again), and a server that dies in the middle leaves the key free for another try.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router
from ninja.operation import Operation
from ninja.params.functions import Header
from ninja.security import HttpBearer
from psycopg.errors import LockNotAvailable
from pydantic import BaseModel

from qingdan.accounts.api.problems import CODES, Detail, Problem, Refusal, known_kinds, problem_of
from qingdan.accounts.enums import SCOPES_OF_ROLE, Scope
from qingdan.accounts.models import ApiToken, IdempotentAnswer, User

log = logging.getLogger(__name__)

View = Callable[..., Any]
_RETRY_SECONDS = 1
_KEY = Header(
    ...,
    alias="Idempotency-Key",
    min_length=8,
    max_length=100,
    description="幂等键：每次新的写入取一个新的（如 UUID）；没收到应答时用同一个键重发同一个请求，不会办两次",
)


class Token(HttpBearer):
    """A token in force that holds a scope; the request then acts as the token's user."""

    openapi_description = "网页“接口密钥”里发放的密钥，以 qd_ 开头"

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token; None for one that opens nothing, Refusal for one without the scope."""
        found = ApiToken.objects.of_secret(token.strip())
        if found is None:
            return None
        if self.scope not in found.scopes or self.scope not in SCOPES_OF_ROLE.get(found.user.role, ()):
            raise Refusal("scope_missing", f"这把密钥没有“{self.scope.label}”（{self.scope.value}）的权限；请在网页上另发一把")
        found.note_use()
        # From here on it is the user's own request: what changes is kept with this name.
        request.user = found.user
        return found


def token_of(request: HttpRequest) -> ApiToken:
    """The token a request came with."""
    return cast("ApiToken", request.auth)  # type: ignore[attr-defined]


def caller(request: HttpRequest) -> User:
    """The user a request acts as."""
    return token_of(request).user


def _answers(status: int, model: type[BaseModel], *, is_write: bool) -> dict[int, Any]:
    refusals = (400, 401, 403, 404, 409, 422) if is_write else (401, 403, 404, 422)
    return {status: model, **dict.fromkeys(refusals, Problem)}


def _refuse_unknown(request: HttpRequest, operation: Operation) -> None:
    """A misspelt filter must not look like no filter."""
    known = {name for model in operation.models if model.__ninja_param_source__ == "query" for name in model.__ninja_flatten_map__}
    if unknown := sorted(set(request.GET) - known):
        details = [Detail(field=f"query.{name}", message="没有这个参数，请检查名称") for name in unknown]
        raise Refusal("invalid", f"没有名为 {'、'.join(unknown)} 的参数", details=details)


def reads(router: Router, path: str, *, scope: Scope, answers: type[BaseModel], name: str, summary: str) -> Callable[[View], View]:
    """An operation that only reads."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, **values: Any) -> Any:
            _refuse_unknown(request, operation)
            return view(request, **values)

        _keep_types(checked, view)
        router.get(
            path,
            auth=Token(scope),
            response=_answers(200, answers, is_write=False),
            summary=summary,
            url_name=name,
            operation_id=name,
            openapi_extra={"x-scope": scope.value},
        )(checked)
        operation: Operation = checked._ninja_operation  # type: ignore[attr-defined]
        return view

    return decorate


def writes(
    router: Router, method: str, path: str, *, scope: Scope, answers: type[BaseModel], name: str, summary: str, status: int = 200
) -> Callable[[View], View]:
    """An operation that changes something, once for each key; the view runs within a transaction."""

    def decorate(view: View) -> View:
        @wraps(view)
        def once(request: HttpRequest, idempotency_key: str, **values: Any) -> HttpResponse:
            _refuse_unknown(request, operation)
            return _once(request, idempotency_key, lambda: view(request, **values), status)

        _keep_types(once, view)
        once._ninja_contribute_args = [("idempotency_key", str, _KEY)]  # type: ignore[attr-defined]
        router.api_operation(
            [method],
            path,
            auth=Token(scope),
            response=_answers(status, answers, is_write=True),
            summary=summary,
            url_name=name,
            operation_id=name,
            openapi_extra={"x-scope": scope.value},
        )(once)
        operation: Operation = once._ninja_operation  # type: ignore[attr-defined]
        return view

    return decorate


def _keep_types(wrapper: View, view: View) -> None:
    """Annotations are text, and are to be read where the view stands."""
    import inspect

    wrapper.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]


def _fingerprint(request: HttpRequest) -> str:
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()


def _json(body: Any, status: int, *, is_repeated: bool = False) -> HttpResponse:
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    if is_repeated:
        response["Idempotency-Replayed"] = "true"
    return response


def _held(token: ApiToken, key: str) -> IdempotentAnswer:
    """The key's row, held until the transaction ends; Refusal when another request holds it."""
    try:
        return IdempotentAnswer.objects.select_for_update(nowait=True).get(token=token, key=key)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        message = f"同一个幂等键的请求正在办理；请 {_RETRY_SECONDS} 秒后用同一个键重发同一个请求，就会得到它的结果"
        raise Refusal("in_progress", message, retry_after_seconds=_RETRY_SECONDS) from error


def _once(request: HttpRequest, key: str, work: Callable[[], BaseModel], status: int) -> HttpResponse:
    token, fingerprint = token_of(request), _fingerprint(request)
    taken = IdempotentAnswer(token=token, key=key, request_sha256=fingerprint)
    IdempotentAnswer.objects.bulk_create([taken], ignore_conflicts=True)
    with transaction.atomic():
        answer = _held(token, key)
        if answer.request_sha256 != fingerprint:
            raise Refusal("key_reused", "这个幂等键已经用在另一个请求上；新的请求请换一个新的键")
        if answer.status is not None:
            return _json(answer.body, answer.status, is_repeated=True)
        try:
            with transaction.atomic():
                answer.status, answer.body = status, work().model_dump(mode="json", by_alias=True)
        except known_kinds() as error:
            problem = problem_of(error)
            answer.status, answer.body = CODES[problem.code][0], problem.model_dump(mode="json")
        answer.save(update_fields=["status", "body"])
    log.info("api.answered token=%s key=%s status=%s", token.pk, key, answer.status)
    return _json(answer.body, answer.status)
