"""A database's refusal by a constraint, in the words that the constraint has for a clerk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction


def constraint_of(error: Exception) -> str:
    """The name of the constraint that a database error is about; empty for any other."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def message_of(constraint: str, *models_: type[models.Model]) -> str:
    """What a constraint, or a field that is unique, of the models says to a clerk; empty when none of them has it."""
    for model in models_:
        for each in model._meta.constraints:
            if each.name == constraint:
                return str(each.violation_error_message)
        for field in model._meta.local_concrete_fields:
            if field.unique and not field.primary_key and _is_of_field(constraint, model, field.column):
                return model().unique_error_message(model, (field.name,)).messages[0]
    return ""


def _is_of_field(constraint: str, model: type[models.Model], column: str | None) -> bool:
    """Whether it is what a field's ``unique=True`` becomes: named by PostgreSQL with its table, or later by a migration."""
    stem = f"{model._meta.db_table}_{column}_"
    return constraint == f"{stem}key" or (constraint.startswith(stem) and constraint.endswith("_uniq"))


@contextmanager
def in_words(*models_: type[models.Model]) -> Iterator[None]:
    """Write inside; what a constraint of the models refuses is taken back and raised as ValidationError with its message.

    Checks before a save see what was there then: of two who save at once, the slower one is refused by the database.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if message := message_of(constraint_of(error), *models_):
            raise ValidationError(message) from error
        raise
