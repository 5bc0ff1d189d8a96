"""Long lists, page by page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from pydantic import BaseModel, Field

from qingdan.accounts.api.problems import Detail, Refusal

PAGE_SIZE, PAGE_SIZE_MAX = 50, 200


class Paging(BaseModel):
    """翻页"""

    page: int = Field(1, ge=1, description="第几页，从 1 起")
    page_size: int = Field(PAGE_SIZE, ge=1, le=PAGE_SIZE_MAX, description=f"每页几条，最多 {PAGE_SIZE_MAX}")


class Page(BaseModel):
    """一页"""

    count: int = Field(description="共几条")
    page: int = Field(description="这是第几页")
    pages: int = Field(description="共几页")


def page_of(found: QuerySet[Any], paging: Paging) -> tuple[dict[str, int], list[Any]]:
    """The figures and the records of a page; Refusal beyond the last."""
    paginator = Paginator(found, paging.page_size)
    if paging.page > paginator.num_pages:
        detail = Detail(field="query.page", message=f"不能大于 {paginator.num_pages}")
        raise Refusal("invalid", f"只有 {paginator.num_pages} 页", details=[detail])
    records = list(paginator.page(paging.page).object_list)
    return {"count": paginator.count, "page": paging.page, "pages": paginator.num_pages}, records
