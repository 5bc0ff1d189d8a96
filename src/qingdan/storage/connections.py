"""Database connections of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def own_connection() -> Iterator[None]:
    """A job runs in a thread of its own: nobody else would ever close the connection that it opens."""
    try:
        yield
    finally:
        connections.close_all()
