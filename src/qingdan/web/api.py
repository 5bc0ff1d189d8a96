"""The API: the domain apps' operations behind one address, its description for programs, and a page of it for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from qingdan.accounts.api.problems import CODES, Problem, known_kinds, told
from qingdan.accounts.enums import SCOPES_OF_ROLE, Role, Scope
from qingdan.findings.api import router as findings
from qingdan.homework.api.disclosure import router as disclosure
from qingdan.homework.api.register import router as homework
from qingdan.web.describing import operations_of

log = logging.getLogger(__name__)
_DESCRIPTION = "各单位自己的软件可以通过接口读写作业、公示和问题清单。密钥代表发放它的账户：能看什么、能做什么，与在网页上一样。"
#: What each status means, in place of the English names of HTTP.
_STATUS_WORDS = {
    200: "成功",
    201: "已办成",
    400: "请求体不是 JSON",
    401: "没有有效的密钥",
    403: "密钥没有这项权限，或这件事不由这个账户办理",
    404: "没有，或看不到",
    409: "幂等键冲突、正在办理，或与已有的记录冲突",
    422: "内容不合要求，或政策不允许；什么都没有保存",
}


class Api(NinjaAPI):
    """Ninja's API with our own front page, Chinese words and scopes in the description."""

    def get_root_path(self, path_params: dict[str, Any]) -> str:
        """The address everything lies below."""
        return reverse("api:home")

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        """The description, each operation with the scope it needs and each answer in Chinese."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for shape in schema["components"]["schemas"].values():
            if "enum" in shape:
                shape.pop("description", None)  # a docstring of ours; the fields say in Chinese what the codes mean
        for operation in _operations(schema):
            # A docstring's lines are broken for the eye of a programmer; Chinese has no spaces to put there.
            operation["description"] = "".join(line.strip() for line in operation["description"].splitlines())
            operation["security"] = [{"Token": [operation["x-scope"]]}]
            operation["responses"] = {
                str(status): {**answer, "description": _STATUS_WORDS[int(status)]} for status, answer in operation["responses"].items()
            }
        return schema


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for methods in schema["paths"].values() for operation in methods.values())


api = Api(title="轻担接口", version="1", description=_DESCRIPTION, urls_namespace="api", docs_url=None)
for router in (homework, disclosure, findings):
    api.add_router("", router)
for kind in known_kinds():
    api.add_exception_handler(kind, cast("Any", told))


@api.exception_handler(Exception)
def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: logged whole, told without its inner parts."""
    log.error("api.broken path=%s", request.path, exc_info=error)
    problem = Problem(code="server_error", message="服务器出错，没有办成；错误已记入日志。请稍后用同一个幂等键重试，仍不行请联系管理员")
    return _problem(problem)


def _problem(problem: Problem) -> JsonResponse:
    return JsonResponse(problem.model_dump(mode="json"), status=CODES[problem.code][0], json_dumps_params={"ensure_ascii": False})


@cache
def _described() -> dict[str, Any]:
    """The description never changes while the server runs."""
    return dict(api.get_openapi_schema())


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The API for people: every operation with its fields, answers, and a call to copy."""
    origin = request.build_absolute_uri("/").rstrip("/")
    return render(request, "web/api.html", {"schema": _described(), "body": _body(origin)})


@lru_cache(maxsize=8)
def _body(origin: str) -> SafeString:
    """What does not change while the server runs: hundreds of table rows, drawn once for each address we are called by."""
    context = {
        "groups": operations_of(_described(), origin),
        "codes": [(code, status, meaning) for code, (status, meaning) in CODES.items()],
        "scopes": [
            (scope.value, scope.label, "、".join(Role(role).label for role, scopes in SCOPES_OF_ROLE.items() if scope in scopes))
            for scope in Scope
        ],
    }
    return render_to_string("web/includes/api_body.html", context)


@login_not_required
@csrf_exempt
def missing(request: HttpRequest, rest: str) -> HttpResponse:
    """Below the API there is no page to show: even a wrong address is told as JSON."""
    return _problem(Problem(code="not_found", message="没有这个地址；全部地址见 /api/"))


def _open(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view of the API: closed by its token, not by a session; a wrong method is told as everything else."""

    @wraps(view, assigned=("__module__", "__doc__"), updated=())
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            told = _problem(Problem(code="method_not_allowed", message=f"这个地址只接受 {response['Allow']}"))
            told["Allow"] = response["Allow"]
            return told
        response["Cache-Control"] = "no-store"
        return response

    return login_not_required(csrf_exempt(answered))


def _patterns() -> list[URLPattern]:
    root = "api-root"
    found, _, _ = api.urls
    ours = [each for each in found if isinstance(each, URLPattern) and each.name != root]
    return [
        path("", home, name="home"),
        *(path(str(each.pattern), _open(each.callback), name=each.name) for each in ours),
        path("<path:rest>", missing, name="missing"),
    ]


app_name = "api"
urlpatterns = _patterns()
