"""What a running server needs, said in Chinese by ``manage check`` and before every migration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from qingdan.policy.packs import default_pack
from qingdan.policy.sources import PackError


@register()
def settings_are_complete(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Everything named in ``settings.MISSING`` is an error."""
    return [Error(text, id=f"qingdan.E{number:03}") for number, text in enumerate(settings.MISSING, start=1)]


@register()
def pack_loads(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A policy pack with a fault is told before the first page, with file, line and column."""
    try:
        default_pack()
    except PackError as error:
        return [Error(str(problem), id="qingdan.E100") for problem in error.problems]
    return []
