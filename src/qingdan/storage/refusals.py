"""A database's refusal by a constraint, in the words that the constraint has for a clerk."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models


def constraint_of(error: Exception) -> str:
    """The name of the constraint that a database error is about; empty for any other."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def message_of(constraint: str, *models_: type[models.Model]) -> str:
    """What a constraint of the models says to a clerk; empty when none of them has it."""
    declared = (each for model in models_ for each in model._meta.constraints)
    return next((str(each.violation_error_message) for each in declared if each.name == constraint), "")


def raise_if_named(error: Exception, constraint: str, model: type[models.Model]) -> None:
    """Turn a refusal by this constraint into ValidationError with its message; do nothing for any other refusal."""
    if constraint_of(error) == constraint and (message := message_of(constraint, model)):
        raise ValidationError(message) from error
